using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Power.Ports;
using GridAppliance.Power.Wake;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Tests.Power.Wake;

public sealed class WakeOnLanTests
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    static readonly MacAddress Mac = MacAddress.Parse("52:54:00:12:34:56");

    [Fact]
    public async Task The_pattern_that_wakes_a_machine_is_sent_thrice_and_nothing_is_claimed()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var port = new WakeOnLan(new($"wol://{listener.LocalEndPoint}/{Mac}"), TimeProvider.System);
        await port.SetPowerAsync(PowerAction.On, Patience);
        var buffer = new byte[2048];
        for (var time = 0; time < 3; time++)
        {
            var length = await listener.ReceiveAsync(buffer, Patience);
            Assert.Equal(102, length);
            Assert.Equal("ffffffffffff525400123456525400123456", Convert.ToHexStringLower(buffer.AsSpan(0, 18)));
            Assert.True(MagicPacket.TryRead(buffer.AsSpan(0, length), out var mac));
            Assert.Equal(Mac, mac);
        }
        Assert.Equal(PowerState.Unknown, await port.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task Nothing_but_waking_up_can_be_asked()
    {
        await using var port = new WakeOnLan(new($"wol://127.0.0.1/{Mac}"), TimeProvider.System);
        foreach (var action in Enum.GetValues<PowerAction>().Where(a => a != PowerAction.On))
            Assert.Equal(DeviceFault.Unsupported, (await Assert.ThrowsAsync<DeviceException>(() => port.SetPowerAsync(action, Patience))).Fault);
    }

    [Theory]
    [InlineData("wol://10.77.0.255/52:54:00:12:34:56", "wol://10.77.0.255/52:54:00:12:34:56")]
    [InlineData("wol://10.77.0.255:9/52:54:00:12:34:56/", "wol://10.77.0.255/52:54:00:12:34:56")]
    [InlineData("wol://10.77.0.255/", null)]
    [InlineData("wol://10.77.0.255/01:00:5e:00:00:01", null)]
    [InlineData("wol://rack3/52:54:00:12:34:56", null)]
    public void A_wake_up_has_a_broadcast_address_and_a_mac(string text, string? kept) => Assert.Equal(kept, PortScheme.TryRead(text, out var address, out _) ? address.OriginalString : null);
}
