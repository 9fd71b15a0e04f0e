using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot;

/// <summary>The file that firmware, or a loader that firmware has started, fetches next.</summary>
abstract record Loader
{
    /// <summary>A TFTP key, sent as the BOOTP file name (so at most 127 octets).</summary>
    public sealed record Tftp(string FileName) : Loader;

    /// <summary>A path on the HTTP boot plane of the network that asks, such as <c>/boot/script</c>.</summary>
    public sealed record Http(string Path) : Loader;
}

/// <summary>Which loader a client gets: pure, and null when there is nothing that it could start.</summary>
static class LoaderChoice
{
    public static Loader? For(ClientArchitecture architecture, bool isIpxe, bool isHttpClient, BootAction action)
    {
        // iPXE always gets a script: it says on the screen why nothing is booted, or boots the disk.
        if (isIpxe) return new Loader.Http("/boot/script");
        // Firmware that finds no boot file goes on to its next boot device, which is what is wanted here, without a detour through iPXE.
        if (action is BootAction.LocalDisk or BootAction.None) return null;
        var file = architecture switch
        {
            ClientArchitecture.BiosX86 => isHttpClient ? null : "undionly.kpxe",
            ClientArchitecture.EfiX64 => "snponly.efi",
            ClientArchitecture.Unknown or ClientArchitecture.EfiIa32 or ClientArchitecture.EfiArm32
                or ClientArchitecture.EfiArm64 or ClientArchitecture.EfiRiscV64 => null,
        };
        return file is null ? null : isHttpClient ? new Loader.Http("/boot/" + file) : new Loader.Tftp(file);
    }
}
