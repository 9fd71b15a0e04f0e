using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

/// <summary>One of the things that can be done to machines' power.</summary>
sealed class PowerCommand : ChangeCommand
{
    readonly string action;
    readonly Option<string?> via = new("--via") { Description = "Through which port, where a node has several: bmc, outlet, or a scheme such as ipmi.", HelpName = "PORT" };

    public PowerCommand(string name, string action, string verb, string description) : base(name, description)
    {
        (this.action, Verb) = (action, verb);
        Add(via);
    }

    protected override string Verb { get; }

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.SetPower(new() { Range = range, Action = action, Via = session.Parsed.GetValue(via), DryRun = dryRun }, cancellation);
}
