using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchTakeCommand() : SwitchActionCommand("take", "Make a switch ours that bears the mark of another appliance, which must be gone.", "its mark would be replaced by ours")
{
    protected override Task<SwitchDocument> Ask(ApplianceClient client, string name, CancellationToken cancellation) => client.TakeSwitch(name, cancellation);
}
