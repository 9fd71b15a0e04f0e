using System.Diagnostics;

namespace GridAppliance.Establish;

/// <summary>OpenSSH's programs: by full path, with arguments one by one and an environment that holds nothing of ours.</summary>
static class SshProgram
{
    public static ProcessStartInfo Of(string program, SshFolder folder, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.Root };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["HOME"] = folder.Root;
        // Nobody is at a terminal. A program that has no question to ask is told that there is nobody to answer it.
        start.Environment["SSH_ASKPASS_REQUIRE"] = "force";
        start.Environment["SSH_ASKPASS"] = "/bin/false";
        return start;
    }
}
