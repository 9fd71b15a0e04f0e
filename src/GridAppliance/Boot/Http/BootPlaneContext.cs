using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Http;

/// <summary>What a boot plane handler knows about where a request came in.</summary>
static class BootPlaneContext
{
    extension(HttpContext context)
    {
        /// <summary>The network whose address the client connected to.</summary>
        public NetworkOptions BootNetwork => context.Features.Get<NetworkOptions>() ?? throw new InvalidOperationException("not a connection of the boot plane");

        public Ipv4Address ClientAddress => Ipv4Address.From(context.Connection.RemoteIpAddress) ?? default;

        /// <summary>The boot plane as this client reaches it.</summary>
        public BootPlaneUrl BootPlaneUrl => new(context.BootNetwork.Address.Address, context.Connection.LocalPort);
    }
}
