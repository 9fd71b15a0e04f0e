using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agent.Inventory;

/// <summary>Network cards out of <c>/sys/class/net</c>: those with hardware behind them.</summary>
static class NicReader
{
    public static IReadOnlyList<NicDocument> Read(string sys, Func<int, IReadOnlyList<LldpNeighbourDocument>> neighbours) =>
        [.. SystemFiles.Entries(Path.Combine(sys, "class/net")).Select(path => ReadOne(path, neighbours)).OfType<NicDocument>()];

    static NicDocument? ReadOne(string path, Func<int, IReadOnlyList<LldpNeighbourDocument>> neighbours)
    {
        var device = Path.Combine(path, "device");
        if (!Directory.Exists(device) || !MacAddress.TryParse(SystemFiles.Text(path, "address"), out var mac) || mac.IsZero) return null;
        var link = SystemFiles.Number(path, "carrier") == 1;
        var speed = SystemFiles.Number(path, "speed");
        return new NicDocument
        {
            Name = Path.GetFileName(path),
            Mac = mac.ToString(),
            Driver = DriverOf(device),
            // A card without a link, or a driver that does not know, says -1.
            SpeedMbps = link && speed is > 0 and < int.MaxValue ? (int)speed : null,
            Link = link,
            PciAddress = PciAddressOf(SystemFiles.Resolve(path)),
            Neighbours = SystemFiles.Number(path, "ifindex") is { } index ? neighbours((int)index) : [],
        };
    }

    static string? DriverOf(string device)
    {
        var driver = Path.Combine(device, "driver");
        return Directory.Exists(driver) ? Path.GetFileName(SystemFiles.Resolve(driver)) : null;
    }

    /// <summary>The nearest PCI device above the card: <c>0000:3b:00.1</c>. A virtio card hangs below its PCI device.</summary>
    static string? PciAddressOf(string place) => place.Split('/').LastOrDefault(IsPciAddress);

    static bool IsPciAddress(string part) =>
        part.Length >= 12 && part[^8] == ':' && part[^5] == ':' && part[^2] == '.' && part.All(c => char.IsAsciiHexDigitLower(c) || c is ':' or '.');
}
