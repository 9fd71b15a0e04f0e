using System.Text.Json;
using GridAppliance.Power.Redfish;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Discovery;

/// <summary>A BMC that answered a scan, and how.</summary>
sealed record FoundBmc(Ipv4Address Address)
{
    /// <summary>It answered an ASF presence ping, or a question outside any session.</summary>
    public bool SpeaksIpmi { get; init; }
    /// <summary>RMCP+ is there; null when it did not say.</summary>
    public bool? SpeaksIpmi20 { get; init; }
    /// <summary>Signs in whoever comes, by its own word.</summary>
    public bool AllowsAnonymous { get; init; }
    /// <summary>The version of the Redfish service, or null without one.</summary>
    public string? Redfish { get; init; }
    /// <summary>Maker and product, as the service root has them.</summary>
    public string? Product { get; init; }

    public FoundBmc With(in AuthenticationCapabilities can) => this with { SpeaksIpmi = true, SpeaksIpmi20 = can.SupportsIpmi20, AllowsAnonymous = can.AllowsAnonymousLogin };

    /// <summary>What a Redfish service says in its root.</summary>
    public FoundBmc With(JsonElement root) => this with
    {
        Redfish = RedfishResource.TextOf(root, "RedfishVersion") ?? "1",
        Product = string.Join(' ', new[] { RedfishResource.TextOf(root, "Vendor"), RedfishResource.TextOf(root, "Product") }.Where(text => !string.IsNullOrWhiteSpace(text))),
    };
}
