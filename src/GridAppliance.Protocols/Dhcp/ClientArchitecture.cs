namespace GridAppliance.Protocols.Dhcp;

/// <summary>What a boot loader has to be built for. How it is fetched (TFTP or HTTP) is told apart by <see cref="ClientArchitectures.FromCode"/>.</summary>
public enum ClientArchitecture
{
    /// <summary>A code that no loader exists for, or none sent.</summary>
    Unknown,
    BiosX86,
    EfiIa32,
    EfiX64,
    EfiArm32,
    EfiArm64,
    EfiRiscV64,
}

/// <summary>Option 93 codes (RFC 4578 section 2.1, with the assignments of the IANA "Processor Architecture Types" registry).</summary>
public static class ClientArchitectures
{
    /// <summary>
    /// The architecture that a code stands for, and whether the firmware fetches over HTTP. Codes 7 and 9 are both x64: the RFC's text had them
    /// exchanged with EFI byte code (erratum 4625), so firmware of either reading is in the field, and nobody boots byte code.
    /// </summary>
    public static (ClientArchitecture Architecture, bool IsHttp) FromCode(ushort code) => code switch
    {
        0 => (ClientArchitecture.BiosX86, false),
        6 => (ClientArchitecture.EfiIa32, false),
        7 or 9 => (ClientArchitecture.EfiX64, false),
        10 => (ClientArchitecture.EfiArm32, false),
        11 => (ClientArchitecture.EfiArm64, false),
        15 => (ClientArchitecture.EfiIa32, true),
        16 => (ClientArchitecture.EfiX64, true),
        18 => (ClientArchitecture.EfiArm32, true),
        19 => (ClientArchitecture.EfiArm64, true),
        20 => (ClientArchitecture.BiosX86, true),
        27 => (ClientArchitecture.EfiRiscV64, false),
        28 => (ClientArchitecture.EfiRiscV64, true),
        _ => (ClientArchitecture.Unknown, false),
    };
}
