using GridAppliance.Hosting;
using GridAppliance.Native;

namespace GridAppliance.Establish;

/// <summary>
/// <c>establish/</c> in the data directory, open to the daemon alone: pinned host keys, which are no secret; and, while something runs, the sockets and pipes through which secrets
/// go from this process's memory into OpenSSH's. No secret is ever content of a file here.
/// </summary>
sealed class SshFolder
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What OpenSSH calls for a password: takes one line out of the pipe that the environment names, once. A second question gets no answer, and that is an end.</summary>
    const string AskpassText = "#!/bin/sh\nIFS= read -r secret < \"$GRID_ASKPASS\" && rm -f \"$GRID_ASKPASS\" && printf '%s\\n' \"$secret\"\n";

    readonly string folder;

    public SshFolder(ApplianceOptions options)
    {
        folder = Path.Combine(options.DataDir, "establish");
        Directory.CreateDirectory(folder, OwnerOnly);
        Directory.CreateDirectory(HostKeys, OwnerOnly);
        // What a killed daemon left: empty pipes and dead sockets.
        foreach (var left in Directory.EnumerateFiles(folder)) File.Delete(left);
        File.WriteAllText(Askpass, AskpassText);
        File.SetUnixFileMode(Askpass, OwnerOnly);
    }

    public string Root => folder;

    public string HostKeys => Path.Combine(folder, "known");

    public string Askpass => Path.Combine(folder, "askpass");

    public string NewPath(string kind) => Path.Combine(folder, $"{kind}-{Guid.NewGuid().ToString("N")[..12]}");

    /// <summary>A pipe with one line in it. It has no content on any disk; closing the stream and deleting the name leaves nothing.</summary>
    public FileStream NewSecretPipe(string line, out string path)
    {
        path = NewPath("ask");
        Libc.MakePipe(path);
        // For both directions: an open for writing alone would wait for a reader that may never come.
        var pipe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        pipe.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
        return pipe;
    }
}
