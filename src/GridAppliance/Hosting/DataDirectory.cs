namespace GridAppliance.Hosting;

/// <summary>The directory of everything that must survive, held by one daemon at a time.</summary>
sealed class DataDirectory : IDisposable
{
    readonly FileStream held;

    DataDirectory(FileStream held) => this.held = held;

    /// <summary>Makes the directory if it is missing (only its owner may enter) and takes it for this process; a lock that dies with the process, so none is ever stale.</summary>
    /// <exception cref="StartupException">It cannot be made, written or is held by another daemon.</exception>
    public static DataDirectory Hold(string path)
    {
        try
        {
            if (!Directory.Exists(path)) Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"dataDir {path} cannot be made: {e.Message}", "Make it and give it to the user that the daemon runs as, or name another in dataDir.", e);
        }
        try
        {
            return new(new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException($"dataDir {path} cannot be written by this user", $"Give it to the daemon's user: chown -R gridappliance {path}", e);
        }
        catch (IOException e)
        {
            throw new StartupException($"dataDir {path} is in use by another gridappliance", "Stop that one first, or give this one a dataDir of its own.", e);
        }
    }

    public void Dispose() => held.Dispose();
}
