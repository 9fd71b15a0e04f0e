namespace GridAppliance.Agent;

/// <summary>Files that are either as they were or as they should be, whatever moment the program ends in.</summary>
static class DurableFile
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var incoming = path + ".new";
        File.Delete(incoming);
        using (var file = new FileStream(incoming, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly, BufferSize = 0,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(incoming, path, overwrite: true);
    }

    /// <summary>Deletes the file if it is there, and its folder is.</summary>
    public static void Delete(string path)
    {
        if (File.Exists(path)) File.Delete(path);
    }

    /// <summary>The content, or null when there is no such file: also when it goes in the moment in which it is read.</summary>
    public static byte[]? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
