namespace GridAppliance.Protocols.Smbios;

/// <summary>What a table says of the machine as a whole (DSP0134 types 1, 16, 17 and 38).</summary>
public sealed record SmbiosSystem
{
    const byte SystemStructure = 1, MemoryArray = 16, MemoryDevice = 17, IpmiDevice = 38;
    const byte UseSystemMemory = 3;
    const ushort SizeUnknown = 0xFFFF, SizeExtended = 0x7FFF;

    public string? Manufacturer { get; init; }
    public string? Product { get; init; }
    public string? Serial { get; init; }
    /// <summary>Null when the board has none (all zeros or all ones).</summary>
    public Guid? Uuid { get; init; }
    /// <summary>Sum of what is plugged into the system's memory slots; 0 when the table does not say.</summary>
    public long MemoryMiB { get; init; }
    /// <summary>Slots with a module in them.</summary>
    public int MemoryModules { get; init; }
    /// <summary>The table tells of an IPMI controller.</summary>
    public bool HasIpmi { get; init; }

    /// <summary>Reads as far as the table is sound; <paramref name="defect"/> says what ended it early.</summary>
    public static SmbiosSystem Read(ReadOnlySpan<byte> table, bool uuidIsLittleEndian, out SmbiosDefect defect)
    {
        var system = new SmbiosSystem();
        var systemArrays = new HashSet<ushort>();
        var reader = new SmbiosReader(table);
        while (reader.TryReadNext(out var structure, out defect))
        {
            switch (structure.Type)
            {
                case SystemStructure when system.Product is null:
                    system = system with
                    {
                        Manufacturer = structure.String(4),
                        Product = structure.String(5),
                        Serial = structure.String(7),
                        Uuid = UuidOf(structure, uuidIsLittleEndian),
                    };
                    break;
                case MemoryArray when structure.Byte(5) == UseSystemMemory:
                    systemArrays.Add(structure.Handle);
                    break;
                case MemoryDevice when structure.Word(4) is { } array && systemArrays.Contains(array) && SizeOf(structure) is > 0 and var size:
                    system = system with { MemoryMiB = system.MemoryMiB + size, MemoryModules = system.MemoryModules + 1 };
                    break;
                case IpmiDevice:
                    system = system with { HasIpmi = true };
                    break;
            }
        }
        return system;
    }

    static long SizeOf(SmbiosStructure device)
    {
        var size = device.Word(12) ?? 0;
        if (size == SizeUnknown) return 0;
        if (size == SizeExtended) return (device.DoubleWord(28) ?? 0) & 0x7FFF_FFFF;
        // The top bit chooses kibibytes.
        return (size & 0x8000) != 0 ? (size & 0x7FFF) / 1024 : size;
    }

    static Guid? UuidOf(SmbiosStructure system, bool littleEndian)
    {
        if (system.Formatted.Length < 24) return null;
        var octets = system.Formatted.Slice(8, 16);
        if (!octets.ContainsAnyExcept((byte)0) || !octets.ContainsAnyExcept((byte)0xFF)) return null;
        return littleEndian ? new Guid(octets) : new Guid(octets, bigEndian: true);
    }
}
