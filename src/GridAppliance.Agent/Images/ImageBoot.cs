using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Images;

/// <summary>
/// Makes another kernel ready to take over from this one (kexec_file_load(2)). Kernel and initramfs are fetched from the boot plane and are those whose digests the signed order names; the
/// command line is the order's, with this boot's own words for the appliance and a token of the next boot's.
/// </summary>
/// <param name="load">Hands the files to the kernel; null when it took them. Tests have one of their own.</param>
sealed class ImageBoot(BootParameters boot, AgentPaths paths, ApplianceCalls calls, Func<string, string, string, string?> load)
{
    /// <summary>COMMAND_LINE_SIZE of x86, less its end.</summary>
    const int LongestCommandLine = 2047;
    const long LargestFile = 1L << 30;

    static readonly SearchValues<char> KeyCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public async Task<ModuleOutcome> PrepareAsync(BootOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(paths.Incoming);
        var (kernel, initramfs) = (Path.Combine(paths.Incoming, "kernel"), Path.Combine(paths.Incoming, "initramfs"));
        try
        {
            if (await FetchAsync(order.Kernel, kernel, cancellationToken) is { } problem) return ModuleOutcome.Refused($"the kernel {problem}");
            if (await FetchAsync(order.Initramfs, initramfs, cancellationToken) is { } other) return ModuleOutcome.Refused($"the initramfs {other}");
            // Last, so that it is as young as can be.
            var answer = await calls.BootTicketAsync(signer, cancellationToken);
            if (!answer.Succeeded || Token(answer.Body) is not { } token) return ModuleOutcome.Refused($"there is no token for the boot: {answer.Problem}");
            var line = CommandLine(order.Arguments, token);
            if (line.Length > LongestCommandLine || line.AsSpan().ContainsAnyExceptInRange(' ', '~')) return ModuleOutcome.Refused("the command line is not acceptable");
            return load(kernel, initramfs, line) is { } reason ? ModuleOutcome.Refused($"the kernel of this node refuses to load another: {reason}") : ModuleOutcome.Done($"boots the {order.Image} image");
        }
        finally
        {
            File.Delete(kernel);
            File.Delete(initramfs);
        }
    }

    /// <returns>Null once the file is there and is what was ordered.</returns>
    async Task<string?> FetchAsync(BootOrderFile file, string to, CancellationToken cancellationToken)
    {
        if (!IsAcceptable(file)) return "has a name or size that is not acceptable";
        await using var stream = new FileStream(to, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous });
        var answer = await calls.DownloadBootFileAsync(file.Key, file.Digest, file.SizeBytes, stream, cancellationToken);
        return answer.Succeeded ? null : $"could not be fetched: {answer.Problem}";
    }

    public static bool IsAcceptable(BootOrderFile file) => file.Key.Length is > 0 and <= 64 && !file.Key.AsSpan().ContainsAnyExcept(KeyCharacters) && file.SizeBytes is > 0 and <= LargestFile;

    string CommandLine(string arguments, string token)
    {
        var line = new StringBuilder(arguments).Append($" grid.url=http://{boot.Appliance} grid.key={boot.ApplianceFingerprint}");
        if (boot.Mac is { } mac) line.Append($" grid.mac={mac}");
        if (boot.RebootWhenUnknown) line.Append(" grid.lost=reboot");
        return line.Append($" grid.token={token}").ToString();
    }

    static string? Token(byte[] body)
    {
        try { return JsonSerializer.Deserialize(body, ReadJson.Default.BootTicket) is { Token: { Length: > 0 and <= 64 } token } && !token.AsSpan().ContainsAnyExcept(KeyCharacters) ? token : null; }
        catch (JsonException) { return null; }
    }

    /// <summary>The kernel's own: no program is needed. It answers EPERM where Secure Boot locks it down.</summary>
    public static unsafe string? LoadIntoKernel(string kernel, string initramfs, string commandLine)
    {
        var files = (Libc.Open(kernel, Libc.OpenReadOnly | Libc.OpenCloseOnExec), Libc.Open(initramfs, Libc.OpenReadOnly | Libc.OpenCloseOnExec));
        try
        {
            var line = Encoding.ASCII.GetBytes(commandLine + '\0');
            fixed (byte* text = line)
            {
                return Libc.LoadKernel(Libc.KexecFileLoad, files.Item1, files.Item2, (nuint)line.Length, text, 0) == 0 ? null : Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            }
        }
        finally
        {
            _ = Libc.Close(files.Item1);
            _ = Libc.Close(files.Item2);
        }
    }
}
