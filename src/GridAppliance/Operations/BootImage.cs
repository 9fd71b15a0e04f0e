using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>A node into another image, because a person asked for it.</summary>
sealed class BootImage(NodeDirectory nodes, ImageSteps images) : IOperationKind
{
    public const string KindName = "node-image";

    public string Name => KindName;

    public static NewOperation For(Node node, string image, string actor) => new(KindName, JsonSerializer.Serialize(new(image, node.ImageWish), BootImageJson.Default.BootImageInput))
    {
        NodeId = node.Id, Node = node.Name, Subject = image, Key = $"{KindName}:{node.Id}:{image}", StartedBy = actor,
    };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, BootImageJson.Default.BootImageInput)!;
        return [new("check", _ => Task.FromResult(Check(operation, input.Image))), .. images.For(operation, input.Image, input.Before)];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;

    StepOutcome Check(Operation operation, string image) => nodes.Current.Find(operation.NodeId ?? default) is not { } node ? new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance")
        : images.Refusal(node, image) is { } refusal ? new StepOutcome.Failed(refusal) : new StepOutcome.Done($"{node.Name} runs the {node.Image} image");
}

/// <param name="Before">What it was to boot.</param>
sealed record BootImageInput(string Image, string? Before);

[JsonSerializable(typeof(BootImageInput))]
sealed partial class BootImageJson : JsonSerializerContext;
