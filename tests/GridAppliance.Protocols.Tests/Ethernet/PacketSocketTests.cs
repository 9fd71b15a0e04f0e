using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Protocols.Tests.Ethernet;

/// <summary>As packet(7) lays it out, on a machine whose own order is little-endian.</summary>
public sealed class PacketSocketTests
{
    [Fact]
    public void An_interface_is_laid_out_and_read_as_sockaddr_ll()
    {
        var address = new PacketEndPoint(0x88CC, 0x0102).Serialize();
        Assert.Equal("1100" + "88CC" + "02010000" + new string('0', 24), Convert.ToHexString(address.Buffer.Span[..20]));
        Assert.Equal(0x0102, Assert.IsType<PacketEndPoint>(new PacketEndPoint(0, 0).Create(address)).InterfaceIndex);
    }

    [Fact]
    public void What_is_to_be_let_through_is_laid_out_as_packet_mreq()
    {
        Assert.Equal("07000000" + "0000" + "0600" + "0180C200000E0000", Convert.ToHexString(PacketMembership.Multicast(7, MacAddress.Parse("01:80:c2:00:00:0e"))));
        Assert.Equal("07000000" + "0100" + "0000" + "0000000000000000", Convert.ToHexString(PacketMembership.Promiscuous(7)));
    }
}
