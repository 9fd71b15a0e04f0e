using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchProbeCommand() : SwitchActionCommand("probe", "Find out what a switch can do, by writing to it what it holds already.",
    "what it holds would be written to it again, to find out what it can do")
{
    protected override Task<SwitchDocument> Ask(ApplianceClient client, string name, CancellationToken cancellation) => client.ProbeSwitch(name, cancellation);
}
