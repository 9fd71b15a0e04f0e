using GridAppliance.Api.Establish;

namespace GridAppliance.Establish;

/// <summary>Into a machine that has an operating system: SSH, or a simulated machine.</summary>
interface IMachineDoor
{
    /// <summary>Runs one of our scripts there. Trouble is an answer, not an exception.</summary>
    /// <param name="machine">Where.</param>
    /// <param name="lease">As whom.</param>
    /// <param name="script">What.</param>
    /// <param name="rights">With which rights.</param>
    /// <param name="lines">What it reads first.</param>
    /// <param name="content">What it reads after that.</param>
    /// <param name="cancellationToken">Gives up; the script may have run.</param>
    Task<RemoteAnswer> RunAsync(MachineAddress machine, CredentialLease lease, RemoteScript script, RemoteRights rights, IReadOnlyList<string> lines, Stream? content, CancellationToken cancellationToken);
}

abstract record RemoteAnswer
{
    RemoteAnswer() { }

    /// <summary>It ran.</summary>
    /// <param name="ExitCode">The script's.</param>
    /// <param name="Output">What it said; "name=value" lines.</param>
    /// <param name="Errors">What it, or sudo, complained of.</param>
    public sealed record Ran(int ExitCode, string Output, string Errors) : RemoteAnswer
    {
        /// <summary>The values of a name, in order.</summary>
        public IEnumerable<string> All(string name) =>
            Output.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == '=').Select(line => line[(name.Length + 1)..].Trim().Trim('"', '\''));

        public string? Find(string name) => All(name).FirstOrDefault(static value => value.Length > 0);

        /// <summary>The script's own word for what went wrong, or the last complaint.</summary>
        public string Trouble => Short(Find("problem") ?? Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? $"it ended with status {ExitCode}");
    }

    /// <summary>The machine, or we, said no: trying again brings the same.</summary>
    public sealed record Refused(string Reason) : RemoteAnswer;

    /// <summary>It may be better later.</summary>
    public sealed record Unreachable(string Reason) : RemoteAnswer;

    public static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
