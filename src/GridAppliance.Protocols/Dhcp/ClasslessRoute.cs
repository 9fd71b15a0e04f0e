using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Dhcp;

/// <summary>One entry of option 121 (RFC 3442): prefix length, the prefix's significant octets, and the router.</summary>
public readonly record struct ClasslessRoute(Ipv4Network Destination, Ipv4Address Router)
{
    /// <summary>Takes the first route off <paramref name="value"/>; false at its end and at the first malformed entry, which stays in place.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> value, out ClasslessRoute route)
    {
        route = default;
        if (value.IsEmpty || value[0] > 32) return false;
        var significant = (value[0] + 7) / 8;
        if (value.Length < 1 + significant + Ipv4Address.Length) return false;
        Span<byte> prefix = stackalloc byte[Ipv4Address.Length];
        prefix.Clear();
        value.Slice(1, significant).CopyTo(prefix);
        // Bits beyond the prefix length are to be ignored (section on the option's format).
        var network = new Ipv4Network(Ipv4Address.Read(prefix), value[0]);
        route = new(network with { Address = network.Network }, Ipv4Address.Read(value[(1 + significant)..]));
        value = value[(1 + significant + Ipv4Address.Length)..];
        return true;
    }

    /// <summary>Writes the entry; its length.</summary>
    public int Write(Span<byte> destination)
    {
        var significant = (Destination.PrefixLength + 7) / 8;
        Span<byte> prefix = stackalloc byte[Ipv4Address.Length];
        Destination.Network.Write(prefix);
        destination[0] = (byte)Destination.PrefixLength;
        prefix[..significant].CopyTo(destination[1..]);
        Router.Write(destination[(1 + significant)..]);
        return 1 + significant + Ipv4Address.Length;
    }
}
