using System.Diagnostics.CodeAnalysis;
using System.Net;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agent;

/// <summary>What the boot script put on the kernel command line for the agent.</summary>
sealed record BootParameters
{
    /// <summary><c>grid.url=</c>: the appliance's boot plane, such as <c>http://10.77.0.1:8067</c>.</summary>
    public required IPEndPoint Appliance { get; init; }
    /// <summary><c>grid.key=</c>: SHA-256 of the appliance's public key, lower-case hex. What it orders must be signed by that key.</summary>
    public required string ApplianceFingerprint { get; init; }
    /// <summary><c>grid.token=</c>: spent by the first enrolment.</summary>
    public string? Token { get; init; }
    /// <summary><c>grid.mac=</c>: the NIC that booted.</summary>
    public MacAddress? Mac { get; init; }
    /// <summary><c>grid.lost=reboot</c>: when the appliance no longer knows this node, boot again for a new token; otherwise keep asking.</summary>
    public bool RebootWhenUnknown { get; init; }

    public static bool TryParse(string commandLine, [NotNullWhen(true)] out BootParameters? parameters, [NotNullWhen(false)] out string? problem)
    {
        parameters = null;
        // As the kernel does it: of two words for one thing the last counts.
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var word in commandLine.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
            if (word.StartsWith("grid.", StringComparison.Ordinal) && word.IndexOf('=') is > 0 and var at)
                values[word[..at]] = word[(at + 1)..];

        if (!TryReadUrl(values.GetValueOrDefault("grid.url"), out var appliance))
        {
            problem = "the kernel command line has no grid.url=http://ADDRESS:PORT: this machine was not booted by an appliance's script";
            return false;
        }
        var fingerprint = values.GetValueOrDefault("grid.key")?.ToLowerInvariant() ?? "";
        if (fingerprint.Length != 64 || !fingerprint.All(char.IsAsciiHexDigitLower))
        {
            problem = "the kernel command line has no grid.key= of 64 hex digits: the appliance could not be told from an impostor";
            return false;
        }
        problem = null;
        parameters = new BootParameters
        {
            Appliance = appliance,
            ApplianceFingerprint = fingerprint,
            Token = values.GetValueOrDefault("grid.token") is { Length: > 0 } token ? token : null,
            Mac = MacAddress.TryParse(values.GetValueOrDefault("grid.mac"), out var mac) ? mac : null,
            RebootWhenUnknown = values.GetValueOrDefault("grid.lost") == "reboot",
        };
        return true;
    }

    /// <summary>Plain HTTP to an address: a node has no resolver at this point, and what is called is signed both ways.</summary>
    static bool TryReadUrl(string? url, [NotNullWhen(true)] out IPEndPoint? peer)
    {
        const string Scheme = "http://";
        const int HttpPort = 80;
        peer = null;
        if (url is null || !url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !IPEndPoint.TryParse(url[Scheme.Length..].TrimEnd('/'), out peer)) return false;
        if (peer.Port == 0) peer.Port = HttpPort;
        return true;
    }
}
