using GridAppliance.Api.Nodes;
using GridAppliance.Grids;
using GridAppliance.Hosting;
using GridAppliance.Operations;
using GridAppliance.Power.Ports;

namespace GridAppliance.Nodes;

/// <summary>Gathers what <see cref="WhyAnswer"/> decides on.</summary>
sealed class WhyReader(Timeline timeline, OperationRunner operations, ApplianceProblems problems, NodePorts ports, GridDirectory grids, TimeProvider time)
{
    const int EventsLookedAt = 300;
    const int OperationsLookedAt = 5;

    public WhyDocument Read(Node node) => WhyAnswer.Of(new()
    {
        Node = node, Events = timeline.ReadNode(node.Id, EventsLookedAt), Operations = operations.List(node.Id, OperationsLookedAt), Problems = problems.All,
        Ports = [.. ports.Current.Of(node.Id).Select(ports.ToDocument)], Grid = grids.Of(node.Id), Now = time.GetUtcNow(),
    });
}
