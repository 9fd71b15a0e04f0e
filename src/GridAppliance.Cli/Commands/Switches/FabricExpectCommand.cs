using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricExpectCommand : GridctlCommand
{
    readonly Argument<FileInfo?> file = new("FILE") { Description = "CSV with a line for each cable: machine,switch,port (a machine is a node, a NIC's address, a serial number or a UUID). Without it the plan is shown.", Arity = ArgumentArity.ZeroOrOne };
    readonly Option<bool> dryRun = DryRun.Option();

    public FabricExpectCommand() : base("expect", "Show or replace the plan of who should be where; what differs from it is told.")
    {
        Add(file);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        if (session.Parsed.GetValue(file) is not { } plan)
        {
            session.Show(await session.Client.GetCabling(cancellation), ApiJson.Default.CablingDocument, shown => { foreach (var line in shown.Csv.Split('\n', StringSplitOptions.RemoveEmptyEntries)) session.Terminal.Line(line); });
            return ExitStatus.Done;
        }
        var csv = InputFile.Read(plan.FullName, plan.ToString(), "check the file's name");
        if (session.Parsed.GetValue(dryRun))
        {
            var now = await session.Client.GetCabling(cancellation);
            return DryRun.Show(session, plan.Name, $"{Phrases.Count(csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length, "line")} would replace the plan of {Phrases.Count(now.Cables, "cable")}");
        }
        session.Show(await session.Client.SetCabling(new() { Csv = csv }, cancellation), ApiJson.Default.CablingDocument, shown => session.Terminal.Line($"{Phrases.Count(shown.Cables, "cable")} planned"));
        return ExitStatus.Done;
    }
}
