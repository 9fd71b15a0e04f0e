namespace GridAppliance.Cli;

/// <summary>A file that somebody names.</summary>
static class InputFile
{
    /// <param name="path">Where.</param>
    /// <param name="what">What is in it, for people.</param>
    /// <param name="nextStep">What to do when it cannot be read.</param>
    public static string Read(string path, string what, string nextStep)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{what} cannot be read: {e.Message}", nextStep);
        }
    }
}
