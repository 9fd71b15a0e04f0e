using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class PowerPolicyCommand : ChangeCommand
{
    readonly Argument<string> policy = new("POLICY") { Description = "observe, or enforce: carry out what was asked for once the machine can be reached. A person at the machine is never fought." };

    public PowerPolicyCommand() : base("policy", "Only look at machines' power, or see to it that what was asked for comes true.")
    {
        policy.AcceptOnlyFromAmong("observe", "enforce");
        Add(policy);
    }

    protected override string Verb => "set the power policy of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.SetPowerPolicy(new() { Range = range, Policy = session.Parsed.GetRequiredValue(policy), DryRun = dryRun }, cancellation);
}
