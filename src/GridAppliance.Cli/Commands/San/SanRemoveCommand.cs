using System.CommandLine;

namespace GridAppliance.Cli.Commands.San;

sealed class SanRemoveCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();

    public SanRemoveCommand() : base("remove", "Look after a storage fabric no longer; its zones stay as they are.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        await session.Client.RemoveSanFabric(session.Parsed.GetRequiredValue(name), cancellation);
        if (!session.Json) session.Terminal.Line($"{session.Parsed.GetRequiredValue(name)} is no longer looked after");
        return ExitStatus.Done;
    }
}
