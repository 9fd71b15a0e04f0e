using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab.Machine;

/// <summary>
/// What a lab is made of, on disk from before the first of it is made. Names are all <c>down</c> needs: processes are found by their mark, interfaces go with
/// their namespaces, files with their directory.
/// </summary>
sealed record LabState
{
    public required string Name { get; init; }
    public required IReadOnlyList<ServerFirmware> Rack { get; init; }
    public LabImage Image { get; init; }
    public required IReadOnlyList<string> Namespaces { get; init; }
    public required IReadOnlyList<string> Interfaces { get; init; }
    public required IReadOnlyList<string> Mounts { get; init; }
    public required DateTimeOffset Started { get; init; }
    /// <summary>Troubles made with <c>gridlab break</c> and not yet undone, as they were asked for.</summary>
    public IReadOnlyList<string> Troubles { get; init; } = [];

    public static LabState Of(LabPlan plan, DateTimeOffset now) => new()
    {
        Name = plan.Name.ToString(),
        Rack = [.. plan.Servers.Select(server => server.Firmware)],
        Image = plan.Image,
        Namespaces = plan.Namespaces,
        Interfaces = [plan.Appliance.Interface, plan.Switch.Uplink, plan.Switch.Management, plan.Switch.ManagementOfAppliance, .. plan.Servers.Select(server => server.Tap)],
        Mounts = [plan.Paths.Data],
        Started = now,
    };

    /// <returns>Null when there is none, or it was cut short by a crash.</returns>
    public static LabState? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), LabJson.Default.LabState);
        }
        catch (Exception missing) when (missing is IOException or JsonException)
        {
            return null;
        }
    }

    public void Write(string path)
    {
        var draft = $"{path}.new";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(this, LabJson.Default.LabState));
        File.Move(draft, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LabState))]
[JsonSerializable(typeof(BootFigures))]
sealed partial class LabJson : JsonSerializerContext;
