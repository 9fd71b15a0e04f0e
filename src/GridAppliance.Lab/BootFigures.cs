using System.Text.Json;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab;

/// <summary>How long servers took from power-on to idle when this tree last ran a lab: what "about N s left" rests on.</summary>
sealed record BootFigures
{
    /// <summary>Seconds by firmware, of the slowest such server.</summary>
    public required IReadOnlyDictionary<ServerFirmware, double> Seconds { get; init; }

    /// <summary>Four servers at once under emulation on two cores.</summary>
    public static BootFigures Typical { get; } = new()
    {
        Seconds = new Dictionary<ServerFirmware, double> { [ServerFirmware.Bios] = 25, [ServerFirmware.UefiPxe] = 35, [ServerFirmware.UefiHttp] = 35 },
    };

    public double For(ServerFirmware firmware) => Seconds.TryGetValue(firmware, out var seconds) ? seconds : Typical.Seconds[firmware];

    public static BootFigures Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), LabJson.Default.BootFigures) ?? Typical;
        }
        catch (Exception missing) when (missing is IOException or JsonException or UnauthorizedAccessException)
        {
            return Typical;
        }
    }

    public void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, LabJson.Default.BootFigures));
    }
}
