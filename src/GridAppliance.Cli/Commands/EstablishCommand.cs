using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Establish;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class EstablishCommand : GridctlCommand
{
    /// <summary>Machines to one request: it ends before the client's patience does though every one of them should be silent.</summary>
    const int Batch = 32;
    const long LargestFile = 4 << 20;

    readonly Option<string> hosts = new("--hosts") { Description = "Which: 10.0.0.5, db7:2222, 10.0.0.10-10.0.0.40, 10.1.0.0/28, joined by commas; or a file with such lines.", HelpName = "LIST|FILE", Required = true };
    readonly Option<string> user = new("--user", "-u") { Description = "The account: root, or one that may use sudo.", HelpName = "NAME", Required = true };
    readonly Option<string?> key = new("--key") { Description = "A file with its private key, without a passphrase. Without this, a password is asked for, or read as a line from standard input.", HelpName = "FILE" };
    readonly Option<string?> password = new("--password-file") { Description = "A file whose first line is its password.", HelpName = "FILE" };
    readonly Option<string?> sudoPassword = new("--sudo-password-file") { Description = "A file whose first line is the password for sudo, where that is another one.", HelpName = "FILE" };
    readonly Option<string?> hostKeys = new("--host-keys") { Description = "A known_hosts file: a machine that it does not name is refused. Without it, the key of a machine that is met for the first time is pinned and shown.", HelpName = "FILE" };
    readonly Option<bool> plan = new("--plan") { Description = "Look at each machine and say what would be done with it and why; change nothing there." };
    readonly Option<bool> apply = new("--apply") { Description = "Do it, many at once; the machines that fail leave the others alone. Give it again to go on after the appliance was restarted." };

    public EstablishCommand() : base("establish", "Make nodes of machines that have an operating system, over SSH: copy the agent, run it as a service, see it come to idle. The credentials are kept nowhere.")
    {
        foreach (var option in (Option[])[hosts, user, key, password, sudoPassword, hostKeys, plan, apply]) Add(option);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var parsed = session.Parsed;
        if (parsed.GetValue(plan) == parsed.GetValue(apply)) throw new UsageException("say --plan or --apply", "look with --plan first");
        if (parsed.GetValue(key) is not null && parsed.GetValue(password) is not null) throw new UsageException("--key and --password-file are two ways in", "give one; for sudo there is --sudo-password-file");
        var wanted = parsed.GetRequiredValue(hosts);
        var text = File.Exists(wanted) ? Content(wanted) : wanted;
        if (!MachineList.TryParse(text, out var machines, out var twice, out var problem)) throw new UsageException(problem, "see gridctl establish --help");
        if (twice.Count > 0) session.Terminal.Note($"named more than once, done once: {string.Join(", ", twice.Distinct().Take(10))}");

        var account = parsed.GetRequiredValue(user);
        var request = new EstablishRequest
        {
            Hosts = "", User = account,
            PrivateKey = parsed.GetValue(key) is { } file ? Content(file) : null,
            // Secrets are never arguments or variables: both can be read by others.
            Password = parsed.GetValue(key) is not null ? null : parsed.GetValue(password) is { } secret ? FirstLine(secret) : session.Terminal.Secret($"password of {account}: "),
            SudoPassword = parsed.GetValue(sudoPassword) is { } sudo ? FirstLine(sudo) : null,
            HostKeys = parsed.GetValue(hostKeys) is { } known ? Content(known) : null,
        };
        var answers = new List<MachinePlanDocument>();
        foreach (var some in machines.Chunk(Batch))
        {
            var one = request with { Hosts = string.Join(",", some) };
            answers.AddRange((parsed.GetValue(apply) ? await session.Client.ApplyEstablish(one, cancellation) : await session.Client.PlanEstablish(one, cancellation)).Machines);
            session.Terminal.Progress($"{answers.Count}/{machines.Count} machines");
        }
        session.Terminal.Progress("");
        return parsed.GetValue(apply) ? await Wait(session, answers, cancellation) : Show(session, answers);
    }

    static async Task<ExitStatus> Wait(Session session, List<MachinePlanDocument> begun, CancellationToken cancellation)
    {
        var ended = await new OperationWatch(session.Client, session.Terminal).Wait([.. begun.Select(machine => machine.OperationId).OfType<string>()], cancellation);
        return Show(session, [.. begun.Select(machine => machine.OperationId is { } id && ended[id] is var operation
            ? machine with { Action = operation.State, Message = OperationWatch.Ending(operation) }
            : machine)]);
    }

    static ExitStatus Show(Session session, List<MachinePlanDocument> machines)
    {
        session.Show(new EstablishDocument { Machines = machines }, ApiJson.Default.EstablishDocument, shown =>
        {
            foreach (var machine in shown.Machines)
            {
                var system = machine.System is { } name ? $"{name}, {machine.Rights ?? "no root"}: " : "";
                var pinned = machine.HostKeyIsNew ? $"  (host key pinned on first use: {machine.HostKey})" : "";
                session.Terminal.NodeLine(machine.Host, new($"{machine.Action}: {system}{machine.Message}{pinned}", IsGood(machine) ? Tone.Plain : Tone.Bad));
            }
        });
        var good = machines.Count(IsGood);
        return good == machines.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static bool IsGood(MachinePlanDocument machine) => machine.Action is "install" or "nothing" or "done" or "start";

    static string FirstLine(string file) => Content(file).Split('\n')[0].TrimEnd('\r');

    static string Content(string file)
    {
        try
        {
            if (new FileInfo(file).Length > LargestFile) throw new UsageException($"{file} is too large for what it should be", "look at it");
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(e.Message, "name a file that can be read");
        }
    }
}
