using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Http;

/// <summary>Where a network's boot plane answers: <c>http://10.77.0.1:8067</c>, by address, because nothing that boots can resolve names.</summary>
readonly record struct BootPlaneUrl(Ipv4Address Address, int Port)
{
    public const int DefaultPort = 8067;

    public override string ToString() => $"http://{Address}:{Port}";
}
