using GridAppliance.EndToEnd.Lab;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Testing;

namespace GridAppliance.EndToEnd.Crashes;

/// <summary>Every DHCP message on the appliance's cable, as the switch sees it: a witness that no restart of the appliance can confuse.</summary>
static class DhcpCapture
{
    const string Process = "capture";

    static string FileOf(LabInstance lab) => $"{lab.Plan.Paths.Root}/dhcp.pcap";

    public static async Task StartAsync(LabInstance lab)
    {
        await lab.Rig.Processes.StartAsync(Process, lab.Plan.Switch.Namespace,
            ["/usr/bin/tcpdump", "-Z", "root", "-n", "-U", "-s", "0", "-i", lab.Plan.Switch.Uplink, "-w", FileOf(lab), "udp port 67 or udp port 68"], CancellationToken.None);
        // The file's header is written once the interface is open.
        await LabInstance.UntilAsync(() => Task.FromResult(File.Exists(FileOf(lab)) ? new FileInfo(FileOf(lab)).Length : 0), length => length >= 24, "a capture");
    }

    /// <summary>Who was acknowledged which address, in order.</summary>
    public static IReadOnlyList<(Ipv4Address Address, MacAddress Mac)> Acknowledged(LabInstance lab)
    {
        var acknowledged = new List<(Ipv4Address, MacAddress)>();
        foreach (var frame in PcapFile.Read(FileOf(lab)))
        {
            if (frame.Udp() is not { SourcePort: 67 } reply) continue;
            Assert.True(DhcpMessage.TryRead(reply.Data, out var message, out var defect), defect.ToString());
            if (message.Type is DhcpMessageType.Ack && message.Mac is { } mac && !message.YourAddress.IsAny) acknowledged.Add((message.YourAddress, mac));
        }
        return acknowledged;
    }
}
