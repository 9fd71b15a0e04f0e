using System.Globalization;

namespace GridAppliance.Protocols.Dhcp;

/// <summary>Which of the two firmware boot protocols option 60 announces, if any.</summary>
public enum FirmwareBoot
{
    /// <summary>An operating system's client, or a loader without PXE manners: an address is all it wants.</summary>
    None,
    Pxe,
    Http,
}

/// <summary>What a message tells about the firmware or loader that sent it: options 60, 77, 93, 97 and 175.</summary>
public readonly record struct BootClient
{
    public FirmwareBoot Firmware { get; private init; }

    public bool IsIpxe { get; private init; }

    public ClientArchitecture Architecture { get; private init; }

    /// <summary>Option 93's first entry as sent.</summary>
    public ushort? ArchitectureCode { get; private init; }

    /// <summary>Option 97 in text order. Some boards share the maker's default: it names a model, not always a machine.</summary>
    public Guid? Machine { get; private init; }

    /// <summary>Whether a boot file means anything to this client.</summary>
    public bool WantsBootFile => Firmware != FirmwareBoot.None || IsIpxe;

    public static BootClient Read(in DhcpMessage message)
    {
        Span<byte> scratch = stackalloc byte[255];
        var firmware = FirmwareBoot.None;
        ushort? code = null;
        if (message.TryGet(DhcpOption.VendorClass, scratch, out var vendorClass))
        {
            firmware = vendorClass.StartsWith("PXEClient"u8) ? FirmwareBoot.Pxe : vendorClass.StartsWith("HTTPClient"u8) ? FirmwareBoot.Http : FirmwareBoot.None;
            if (firmware != FirmwareBoot.None) code = CodeInVendorClass(vendorClass);
        }
        code = message.UInt16(DhcpOption.ClientArchitecture) ?? code;
        var (architecture, overHttp) = code is { } known ? ClientArchitectures.FromCode(known) : (ClientArchitecture.Unknown, false);
        if (firmware == FirmwareBoot.Pxe && overHttp) firmware = FirmwareBoot.Http;
        return new()
        {
            Firmware = firmware,
            IsIpxe = message.Has(DhcpOption.Ipxe) || message.TryGet(DhcpOption.UserClass, scratch, out var userClass) && UserClass.Contains(userClass, "iPXE"u8),
            Architecture = architecture,
            ArchitectureCode = code,
            Machine = message.TryGet(DhcpOption.ClientMachine, scratch, out var machine) ? MachineId.Read(machine) : null,
        };
    }

    /// <summary><c>PXEClient:Arch:00007:UNDI:003016</c> says it too; some ROMs send no option 93 with it.</summary>
    static ushort? CodeInVendorClass(ReadOnlySpan<byte> vendorClass)
    {
        var start = vendorClass.IndexOf(":Arch:"u8);
        if (start < 0) return null;
        var digits = vendorClass[(start + 6)..];
        digits = digits.Length > 5 ? digits[..5] : digits;
        return ushort.TryParse(digits, NumberStyles.None, null, out var code) ? code : null;
    }
}

/// <summary>Option 77: a list of length-prefixed classes (RFC 3004 section 4), or, as iPXE sends it, one bare string.</summary>
public static class UserClass
{
    public static bool Contains(ReadOnlySpan<byte> value, ReadOnlySpan<byte> userClass)
    {
        if (value.SequenceEqual(userClass)) return true;
        while (value.Length > 0 && value[0] < value.Length)
        {
            if (value.Slice(1, value[0]).SequenceEqual(userClass)) return true;
            value = value[(1 + value[0])..];
        }
        return false;
    }
}

/// <summary>Option 97: a type octet 0 and a UUID whose first three fields are little-endian, as SMBIOS stores it (RFC 4578 section 2.3).</summary>
public static class MachineId
{
    public const int Length = 17;

    /// <summary>The UUID in text order; null for another type, another length, or the all-zero and all-one values that mean "not set".</summary>
    public static Guid? Read(ReadOnlySpan<byte> value)
    {
        if (value.Length != Length || value[0] != 0) return null;
        var uuid = new Guid(value[1..]);
        return uuid == Guid.Empty || uuid == Guid.AllBitsSet ? null : uuid;
    }

    public static void Write(Guid uuid, Span<byte> destination)
    {
        destination[0] = 0;
        uuid.TryWriteBytes(destination[1..]);
    }
}
