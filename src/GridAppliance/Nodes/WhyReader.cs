using GridAppliance.Api.Nodes;
using GridAppliance.Hosting;

namespace GridAppliance.Nodes;

/// <summary>Gathers what <see cref="WhyAnswer"/> decides on.</summary>
sealed class WhyReader(Timeline timeline, ApplianceProblems problems, TimeProvider time)
{
    const int EventsLookedAt = 300;

    public WhyDocument Read(Node node) => WhyAnswer.Of(new()
    {
        Node = node, Events = timeline.ReadNode(node.Id, EventsLookedAt), Problems = problems.All, Now = time.GetUtcNow(),
    });
}
