using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Resources;

sealed class ModuleIdleCommand : GridctlCommand
{
    readonly Argument<string?> module = new("MODULE") { Description = "A module's name or class; without it the policies are listed.", Arity = ArgumentArity.ZeroOrOne };
    readonly Option<string?> after = new("--after") { Description = "Take it out when nobody asked for it for so long: 90s, 30m, 12h, 7d." };
    readonly Option<bool> never = new("--never") { Description = "Let it stay." };
    readonly Option<bool> dryRun = DryRun.Option();

    public ModuleIdleCommand() : base("idle", "How long modules stay on nodes when nobody asks for them.")
    {
        Add(module);
        Add(after);
        Add(never);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (name, length, stays) = (session.Parsed.GetValue(module), session.Parsed.GetValue(after), session.Parsed.GetValue(never));
        if (name is not null && length is null != stays) throw new UsageException("say --after TIME or --never", "see `gridctl module idle --help`");
        if (name is not null && session.Parsed.GetValue(dryRun))
            return DryRun.Show(session, name, length is null ? "would stay" : $"would be taken out when nobody asked for it for {Phrases.Ago(HoldOptions.Length("--after", length))}");
        var policies = name is null
            ? await session.Client.GetIdlePolicies(cancellation)
            : await session.Client.SetIdlePolicy(new() { Module = name, Seconds = length is null ? null : (long)HoldOptions.Length("--after", length).TotalSeconds }, cancellation);
        session.Show(policies, ApiJson.Default.IReadOnlyListIdlePolicyDocument, shown => session.Terminal.Table(["module or class", "taken out after"],
            shown.Select(policy => (IReadOnlyList<Cell>)[new(policy.Module, Tone.Strong), Phrases.Ago(TimeSpan.FromSeconds(policy.Seconds ?? 0))])));
        return ExitStatus.Done;
    }
}
