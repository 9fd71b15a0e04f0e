using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class ReserveCommand : ChangeCommand
{
    readonly HoldOptions options = new();

    public ReserveCommand() : base("reserve", "Keep resources of nodes for an owner, for a time: nobody else gets them.") => options.AddTo(this);

    protected override string Verb => "reserve resources of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation) =>
        session.Client.ReserveResources(options.Request(session.Parsed, range, null, dryRun), cancellation);
}
