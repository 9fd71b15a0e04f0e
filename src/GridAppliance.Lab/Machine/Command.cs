using System.Diagnostics;

namespace GridAppliance.Lab.Machine;

/// <summary>Runs a program of this machine to its end: an argument array, never a command string.</summary>
static class Command
{
    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="LabException">It is not there, or it ended with anything but 0.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var (exitCode, output, error) = await TryRunAsync(arguments, cancellation);
        return exitCode == 0
            ? output
            : throw new LabException($"'{string.Join(' ', arguments)}' ended with {exitCode}: {string.Join(Environment.NewLine, new[] { error.Trim(), output.Trim() }.Where(said => said.Length > 0))}");
    }

    /// <exception cref="LabException">The program is not there.</exception>
    public static async Task<(int ExitCode, string Output, string Error)> TryRunAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        using var process = Start(arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        try
        {
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    static Process Start(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(arguments[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach (var argument in arguments.Skip(1)) start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start) ?? throw new LabException($"'{arguments[0]}' did not start.");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new LabException($"'{arguments[0]}' cannot be started ({missing.Message}): run 'sudo make prepare'.", missing);
        }
    }
}
