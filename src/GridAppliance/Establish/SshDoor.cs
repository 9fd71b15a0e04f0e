using System.Diagnostics;
using System.Globalization;
using System.Text;
using GridAppliance.Api.Establish;

namespace GridAppliance.Establish;

/// <summary>
/// OpenSSH's client, one connection a script. It reads no configuration of anybody's, forwards nothing, and believes no host key but the pinned one. A password goes to it through
/// a pipe that its askpass reads, a key through an agent: neither is ever an argument, a variable or a file's content.
/// </summary>
sealed class SshDoor(SshFolder folder, HostKeyPins pins, TimeProvider time) : IMachineDoor
{
    /// <summary>ssh's own: it did not come to the command.</summary>
    const int NotConnected = 255;
    const int MostOutput = 256 << 10;

    static readonly TimeSpan Usual = TimeSpan.FromSeconds(25);
    /// <summary>With the agent's 27 MB over a slow line; an operation's step is cut short at two minutes.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(110);

    public async Task<RemoteAnswer> RunAsync(
        MachineAddress machine, CredentialLease lease, RemoteScript script, RemoteRights rights, IReadOnlyList<string> lines, Stream? content, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(content is null ? Usual : Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var pipePath = "";
        await using var pipe = lease.Credentials.Password is { } password ? folder.NewSecretPipe(password, out pipePath) : null;
        try
        {
            var start = SshProgram.Of("/usr/bin/ssh", folder, [.. Options(machine, lease), "--", machine.Host, script.CommandFor(rights)]);
            if (lease.Socket is { } socket) start.Environment["SSH_AUTH_SOCK"] = socket;
            if (pipe is not null) (start.Environment["SSH_ASKPASS"], start.Environment["GRID_ASKPASS"]) = (folder.Askpass, pipePath);
            using var ssh = Process.Start(start) ?? throw new IOException("ssh did not start");
            try
            {
                return await TalkAsync(ssh, Preface(lease, rights, lines), content, either.Token);
            }
            finally
            {
                if (!ssh.HasExited) ssh.Kill(entireProcessTree: true);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new RemoteAnswer.Unreachable($"'{script.Name}' got no answer in time");
        }
        finally
        {
            if (pipePath.Length > 0) File.Delete(pipePath);
        }
    }

    IEnumerable<string> Options(MachineAddress machine, CredentialLease lease)
    {
        string[] settings =
        [
            $"UserKnownHostsFile={pins.FileOf(machine)}", "GlobalKnownHostsFile=/dev/null", $"HostKeyAlias={HostKeyPins.Alias}", "HashKnownHosts=no", "CheckHostIP=no", "UpdateHostKeys=no",
            // The first meeting pins; from then on nothing else is believed.
            $"StrictHostKeyChecking={(pins.IsPinned(machine) ? "yes" : "accept-new")}",
            lease.Socket is null ? "PreferredAuthentications=password,keyboard-interactive" : "PreferredAuthentications=publickey",
            lease.Socket is null ? "PubkeyAuthentication=no" : "PasswordAuthentication=no",
            "NumberOfPasswordPrompts=1", "IdentityFile=none", "ConnectTimeout=8", "ServerAliveInterval=5", "ServerAliveCountMax=3", "LogLevel=ERROR", "ClearAllForwardings=yes",
            "PermitLocalCommand=no", "ControlMaster=no", "ControlPath=none", "Compression=no",
        ];
        return ["-F", "none", "-T", "-x", "-a", "-p", machine.Port.ToString(CultureInfo.InvariantCulture), "-l", lease.Credentials.User, .. settings.SelectMany(static setting => new[] { "-o", setting })];
    }

    static byte[] Preface(CredentialLease lease, RemoteRights rights, IReadOnlyList<string> lines)
    {
        if (lines.Any(static line => line.Any(char.IsControl))) throw new ArgumentException("a line has no line end in it", nameof(lines));
        IEnumerable<string> all = rights == RemoteRights.Sudo ? [lease.Credentials.ForSudo ?? "", .. lines] : lines;
        return Encoding.UTF8.GetBytes(string.Concat(all.Select(static line => line + "\n")));
    }

    static async Task<RemoteAnswer> TalkAsync(Process ssh, byte[] preface, Stream? content, CancellationToken cancellationToken)
    {
        var sending = SendAsync(ssh.StandardInput.BaseStream, preface, content, cancellationToken);
        var output = ReadAsync(ssh.StandardOutput, cancellationToken);
        var errors = ReadAsync(ssh.StandardError, cancellationToken);
        await Task.WhenAll(sending, output, errors, ssh.WaitForExitAsync(cancellationToken));
        return ssh.ExitCode == NotConnected ? Meaning(await errors) : new RemoteAnswer.Ran(ssh.ExitCode, await output, await errors);
    }

    static async Task SendAsync(Stream input, byte[] preface, Stream? content, CancellationToken cancellationToken)
    {
        try
        {
            await using (input)
            {
                await input.WriteAsync(preface, cancellationToken);
                if (content is not null) await content.CopyToAsync(input, cancellationToken);
            }
        }
        catch (IOException)
        {
            // It ended before it had read everything: its exit status says why.
        }
    }

    /// <summary>To its end, so that it never stands still; what is beyond the bound is not kept.</summary>
    static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            if (text.Length < MostOutput) text.Append(buffer, 0, read);
        return text.ToString();
    }

    /// <summary>ssh tells why only in words; they have been the same for decades.</summary>
    static RemoteAnswer Meaning(string errors)
    {
        bool Says(string words) => errors.Contains(words, StringComparison.OrdinalIgnoreCase);
        if (Says("IDENTIFICATION HAS CHANGED") || Says("Host key verification failed"))
            return new RemoteAnswer.Refused("its host key is not the one that is pinned: either it was reinstalled (give its new key with --host-keys) or something stands between");
        if (Says("Permission denied") || Says("Too many authentication failures")) return new RemoteAnswer.Refused("it does not take these credentials");
        if (Says("Could not resolve hostname")) return new RemoteAnswer.Refused("its name cannot be resolved");
        if (Says("Unable to negotiate")) return new RemoteAnswer.Refused("its SSH server and OpenSSH have no algorithm in common");
        var last = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "the connection broke off";
        return new RemoteAnswer.Unreachable(RemoteAnswer.Short(last));
    }
}
