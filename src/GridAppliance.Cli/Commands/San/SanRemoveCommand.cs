using System.CommandLine;

namespace GridAppliance.Cli.Commands.San;

sealed class SanRemoveCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();
    readonly Option<bool> dryRun = DryRun.Option();

    public SanRemoveCommand() : base("remove", "Look after a storage fabric no longer; its zones stay as they are.")
    {
        Add(name);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(name);
        if (session.Parsed.GetValue(dryRun))
        {
            var isThere = (await session.Client.GetSanFabrics(cancellation)).Any(known => known.Name == wanted);
            return DryRun.Show(session, wanted, isThere ? "would be looked after no longer" : "is no storage fabric that is looked after", isThere);
        }
        await session.Client.RemoveSanFabric(wanted, cancellation);
        if (!session.Json) session.Terminal.Line($"{wanted} is no longer looked after");
        return ExitStatus.Done;
    }
}
