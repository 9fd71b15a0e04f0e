using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Power.Redfish;

/// <summary>
/// A resource of a Redfish service (DSP0266, section 6.5). Links come from the device, and requests to them carry our session: so a path is one of the same service or none, never another host's.
/// </summary>
readonly record struct RedfishPath
{
    const string Prefix = "/redfish/v1";
    const int Longest = 512;

    static readonly SearchValues<char> Refused = SearchValues.Create("\\\"<>?%");

    readonly string? text;

    RedfishPath(string text) => this.text = text;

    public static RedfishPath Root { get; } = new(Prefix + "/");

    public static RedfishPath Sessions { get; } = new(Prefix + "/SessionService/Sessions");

    public static bool TryRead([NotNullWhen(true)] string? link, out RedfishPath path)
    {
        path = default;
        if (link is null || link.Length > Longest) return false;
        // Older services link into arrays by fragment (Thermal#/Fans/0): the resource is before it.
        var whole = link.IndexOf('#') is >= 0 and var at ? link[..at] : link;
        if (whole != Prefix && !whole.StartsWith(Prefix + "/", StringComparison.Ordinal)) return false;
        if (whole.Split('/').Contains("..") || whole.AsSpan().ContainsAnyExceptInRange('!', '~') || whole.AsSpan().ContainsAny(Refused)) return false;
        path = new(whole);
        return true;
    }

    public override string ToString() => text ?? Prefix + "/";
}
