using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

sealed class IdentifyCommand : ChangeCommand
{
    readonly Option<int?> seconds = new("--seconds") { Description = "For how long, up to 255; 15 without it." };
    readonly Option<bool> on = new("--on") { Description = "Until it is told otherwise." };
    readonly Option<bool> off = new("--off") { Description = "Put it out." };

    public IdentifyCommand() : base("identify", "Light machines for whoever stands before the rack.")
    {
        Add(seconds);
        Add(on);
        Add(off);
    }

    protected override string Verb => "light";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation)
    {
        int? duration = session.Parsed.GetValue(off) ? 0 : session.Parsed.GetValue(on) ? null : session.Parsed.GetValue(seconds) ?? 15;
        return session.Client.Identify(new() { Range = range, Seconds = duration, DryRun = dryRun }, cancellation);
    }
}
