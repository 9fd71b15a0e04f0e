using System.Text.Json;

namespace GridAppliance.Power.Redfish;

/// <summary>A resource as it was read. What a device leaves out or sends in another type reads as null: fields of Redfish are optional nearly all.</summary>
sealed record RedfishResource(RedfishPath Path, JsonElement Json, string? ETag)
{
    public string? Text(string name) => TextOf(Json, name);

    public RedfishPath? Link(string name) => LinkOf(Json, name);

    public JsonElement? Object(string name) => ObjectOf(Json, name);

    public IEnumerable<JsonElement> Items(string name) => ItemsOf(Json, name);

    /// <summary>The members of a collection.</summary>
    public IEnumerable<RedfishPath> Members => Items("Members").Select(LinkOf).OfType<RedfishPath>();

    public static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static double? NumberOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    public static bool? FlagOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    public static JsonElement? ObjectOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    public static IEnumerable<JsonElement> ItemsOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    public static IReadOnlyList<string>? TextsOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)] : null;

    public static RedfishPath? LinkOf(JsonElement json, string name) => ObjectOf(json, name) is { } link ? LinkOf(link) : null;

    static RedfishPath? LinkOf(JsonElement reference) => RedfishPath.TryRead(TextOf(reference, "@odata.id"), out var path) ? path : null;
}
