using GridAppliance.Lab.Appliance;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab;

/// <summary>Everything that one lab is made of, decided before anything is made. Follows from the name, the rack and the processors that are there.</summary>
sealed record LabPlan
{
    public required LabPaths Paths { get; init; }
    public required LabAppliance Appliance { get; init; }
    public required LabSwitch Switch { get; init; }
    public required IReadOnlyList<LabServer> Servers { get; init; }

    public LabImage Image { get; init; }

    public LabName Name => Paths.Name;

    /// <summary>Servers are behind the switch, in its namespace: the appliance reaches them over the wire alone.</summary>
    public IReadOnlyList<string> Namespaces => [Appliance.Namespace, Switch.Namespace];

    public static LabPlan For(LabName name, IEnumerable<ServerFirmware> rack, LabImage image = LabImage.Virtual)
    {
        var paths = new LabPaths(name);
        var servers = LabServers.Rack(paths, rack);
        var processors = Processors.Allowed();
        return new LabPlan
        {
            Paths = paths,
            Appliance = new LabAppliance
            {
                Namespace = $"{name}-srv",
                Interface = $"{name}-prov",
                Address = Ipv4Network.Parse("10.77.0.1/24"),
                Range = Ipv4Range.Parse("10.77.0.50-10.77.0.250"),
            },
            Switch = new LabSwitch { Namespace = $"{name}-sw", Uplink = $"{name}-uplink", Management = $"{name}-swmgmt", ManagementOfAppliance = $"{name}-mgmt" },
            Servers = [.. servers.Select((server, index) => server with { MemoryMiB = image.MemoryMiB(), Processor = Processors.For(index, servers.Count, processors) })],
            Image = image,
        };
    }
}
