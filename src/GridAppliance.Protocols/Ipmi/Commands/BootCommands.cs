namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Boot device selectors (IPMI 2.0, table 28-14, parameter 5).</summary>
public enum BootDeviceSelector : byte
{
    None = 0x0,
    Pxe = 0x1,
    HardDisk = 0x2,
    HardDiskSafeMode = 0x3,
    Diagnostic = 0x4,
    Cd = 0x5,
    Setup = 0x6,
    RemoteFloppy = 0x7,
    RemoteCd = 0x8,
    PrimaryRemoteMedia = 0x9,
    RemoteHardDisk = 0xB,
    Floppy = 0xF,
}

/// <summary>Boot flags: parameter 5 of the system boot options (table 28-14).</summary>
public readonly record struct BootFlags
{
    //  octet 0                                             1                                      2-4
    //  +-------------------------------------------------+--------------------------------------+---------------------------+
    //  | valid 7, persistent 6, UEFI 5                   | clear CMOS 7, device 5:2             | console, verbosity, none  |
    //  +-------------------------------------------------+--------------------------------------+---------------------------+

    public const int Length = 5;

    public bool IsValid { get; init; }
    /// <summary>For every boot from now on; otherwise the next one only.</summary>
    public bool IsPersistent { get; init; }
    /// <summary>Boot by UEFI; otherwise by legacy BIOS.</summary>
    public bool IsUefi { get; init; }
    public BootDeviceSelector Device { get; init; }

    public void Write(Span<byte> data)
    {
        data[..Length].Clear();
        data[0] = (byte)((IsValid ? 0x80 : 0) | (IsPersistent ? 0x40 : 0) | (IsUefi ? 0x20 : 0));
        data[1] = (byte)((byte)Device << 2);
    }

    public static bool TryRead(ReadOnlySpan<byte> data, out BootFlags flags)
    {
        flags = default;
        if (data.Length < 2) return false;
        flags = new()
        {
            IsValid = (data[0] & 0x80) != 0,
            IsPersistent = (data[0] & 0x40) != 0,
            IsUefi = (data[0] & 0x20) != 0,
            Device = (BootDeviceSelector)(data[1] >> 2 & 0x0F),
        };
        return true;
    }
}

/// <summary>Set System Boot Options, parameter 5 (section 28.12).</summary>
public sealed record SetBootFlags(BootFlags Flags) : IpmiOrder
{
    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x08;

    public override int WriteData(Span<byte> data)
    {
        data[0] = BootParameter.BootFlags;
        Flags.Write(data[1..]);
        return 1 + BootFlags.Length;
    }
}

/// <summary>
/// Set System Boot Options, parameter 3: keep the boot flags although no power command follows within sixty seconds, which a BMC would
/// otherwise take as a reason to forget them. Optional in BMCs.
/// </summary>
public sealed record KeepBootFlags : IpmiOrder
{
    const byte DoNotClearOnTimeout = 0x08;

    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x08;

    public override int WriteData(Span<byte> data)
    {
        data[0] = BootParameter.ValidBitClearing;
        data[1] = DoNotClearOnTimeout;
        return 2;
    }
}

/// <summary>Get System Boot Options, parameter 5 (section 28.13).</summary>
public sealed record GetBootFlags : IpmiRequest<BootFlags>
{
    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x09;

    public override int WriteData(Span<byte> data)
    {
        data[0] = BootParameter.BootFlags;
        data[1] = data[2] = 0;
        return 3;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out BootFlags answer)
    {
        answer = default;
        // Parameter version, then parameter number with "invalid or locked" in bit 7.
        return data.Length >= 2 && (data[1] & 0x7F) == BootParameter.BootFlags && BootFlags.TryRead(data[2..], out answer);
    }
}

static class BootParameter
{
    public const byte ValidBitClearing = 3;
    public const byte BootFlags = 5;
}
