using System.Diagnostics;
using System.Text;

namespace GridAppliance.Establish;

/// <summary>
/// Credentials for as long as somebody works with them. A private key is handed to an <c>ssh-agent</c> of its own through a pipe and forgotten here: it is in that process's memory
/// alone, and goes with it. The last user of a lease ends it.
/// </summary>
sealed class CredentialLease : IAsyncDisposable
{
    /// <summary>A key that its agent is not told to forget, because we were killed, is forgotten all the same. systemd ends the agent with us; this is for a daemon without it.</summary>
    const string LongestKeyLife = "3600";

    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    readonly Process? agent;
    int users = 1;

    CredentialLease(Credentials credentials, Process? agent, string? socket) => (Credentials, this.agent, Socket) = (credentials, agent, socket);

    public Credentials Credentials { get; }

    /// <summary>Where the key's agent listens; null where there is a password instead.</summary>
    public string? Socket { get; }

    /// <exception cref="FormatException">The private key is none that ssh-add takes; the message says why.</exception>
    public static async Task<CredentialLease> OpenAsync(Credentials credentials, SshFolder folder, CancellationToken cancellationToken)
    {
        if (credentials.PrivateKey is not { } key) return new(credentials, null, null);
        if (IsLocked(key)) throw new FormatException("the private key has a passphrase: give one without, or a password");
        var socket = folder.NewPath("agent");
        var agent = Process.Start(SshProgram.Of("/usr/bin/ssh-agent", folder, "-D", "-a", socket, "-t", LongestKeyLife)) ?? throw new InvalidOperationException("ssh-agent did not start");
        agent.StandardInput.Close();
        var lease = new CredentialLease(credentials with { PrivateKey = null }, agent, socket);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(StartLimit);
            // It says "SSH_AUTH_SOCK=…" once it listens.
            if (await agent.StandardOutput.ReadLineAsync(limit.Token) is null) throw new InvalidOperationException("ssh-agent did not start");
            await lease.AddAsync(key, folder, limit.Token);
            return lease;
        }
        catch
        {
            await lease.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more user; false when the last one has gone already.</summary>
    public bool TryShare()
    {
        while (true)
        {
            var now = Volatile.Read(ref users);
            if (now == 0) return false;
            if (Interlocked.CompareExchange(ref users, now + 1, now) == now) return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Decrement(ref users) > 0 || agent is null) return;
        if (!agent.HasExited) agent.Kill();
        await agent.WaitForExitAsync();
        agent.Dispose();
        File.Delete(Socket!);
    }

    async Task AddAsync(string key, SshFolder folder, CancellationToken cancellationToken)
    {
        var start = SshProgram.Of("/usr/bin/ssh-add", folder, "-q", "-");
        start.Environment["SSH_AUTH_SOCK"] = Socket;
        using var add = Process.Start(start) ?? throw new InvalidOperationException("ssh-add did not start");
        await using (var input = add.StandardInput.BaseStream)
        {
            // OpenSSH's own format is refused without the last line's end.
            await input.WriteAsync(Encoding.UTF8.GetBytes(key.ReplaceLineEndings("\n").TrimEnd('\n') + "\n"), cancellationToken);
        }
        await add.WaitForExitAsync(cancellationToken);
        if (add.ExitCode != 0) throw new FormatException("the private key is none that OpenSSH can read");
    }

    /// <summary>ssh-add does not say so. OpenSSH's own format begins, in base64, with its name and the cipher's, "none" where there is no passphrase; the older ones say ENCRYPTED.</summary>
    static bool IsLocked(string key) => key.Contains("BEGIN OPENSSH PRIVATE KEY", StringComparison.Ordinal)
        ? !key.Contains("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", StringComparison.Ordinal)
        : key.Contains("ENCRYPTED", StringComparison.Ordinal);
}
