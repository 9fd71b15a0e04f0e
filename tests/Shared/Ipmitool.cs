using System.Diagnostics;
using System.Net;

namespace GridAppliance.Testing;

/// <summary>The reference client, run against whatever answers.</summary>
public static class Ipmitool
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs it over RMCP+ and gives how it ended and what it printed.</summary>
    /// <param name="at">The BMC.</param>
    /// <param name="suite">Number of the cipher suite.</param>
    /// <param name="user">Account.</param>
    /// <param name="passwordFile">Its password.</param>
    /// <param name="arguments">The command.</param>
    public static (int Status, string Output) Run(IPEndPoint at, int suite, string user, string passwordFile, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo("ipmitool") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-I", "lanplus", "-C", suite.ToString(), "-H", at.Address.ToString(), "-p", at.Port.ToString(), "-U", user, "-f", passwordFile, .. arguments]) start.ArgumentList.Add(argument);
        using var tool = Process.Start(start)!;
        var errors = tool.StandardError.ReadToEndAsync();
        var output = tool.StandardOutput.ReadToEnd();
        if (!tool.WaitForExit(Patience))
        {
            tool.Kill();
            throw new TimeoutException($"ipmitool {string.Join(' ', arguments)} did not end within {Patience.TotalSeconds} s");
        }
        return (tool.ExitCode, output + errors.Result);
    }
}
