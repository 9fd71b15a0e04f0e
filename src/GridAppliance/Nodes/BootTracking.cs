using GridAppliance.Boot;

namespace GridAppliance.Nodes;

/// <summary>What one observation means for the progress of a boot, and how the timeline tells it. Pure.</summary>
static class BootTracking
{
    /// <summary>A boot that was silent for this long is over: what comes next is another one.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    /// <summary>The progress after <paramref name="seen"/>; null while nothing has asked to boot.</summary>
    public static BootProgress? After(BootProgress? boot, in BootObservation seen)
    {
        if (boot is null || BeginsAnew(boot, seen))
        {
            if (!seen.NetworkBoot) return boot;
            boot = new() { Started = seen.At, LastActivity = seen.At, Milestone = BootMilestone.Discover };
        }
        // Also where a boot's DISCOVER was not seen and it passes for the one before: which script a node was given last is true of both.
        if (seen is { Stage: BootStage.Script, Detail: { } script }) boot = boot with { Script = (script, seen.At) };
        var milestone = MilestoneOf(seen.Stage) is { } reached && reached > boot.Milestone ? reached : boot.Milestone;
        // What arrives after "idle" (a renewal, an INFORM) is no longer part of the boot.
        return boot.Finished is not null ? boot : boot with { Milestone = milestone, LastActivity = seen.At, Appliance = boot.Appliance + seen.Service };
    }

    /// <summary>
    /// Firmware, loader and operating system each send a DISCOVER of their own within one boot; a network-booting DISCOVER after the kernel was fetched, or after the boot was
    /// finished or given up, is the next boot.
    /// </summary>
    static bool BeginsAnew(BootProgress boot, in BootObservation seen) =>
        seen is { Stage: BootStage.DhcpDiscover, NetworkBoot: true }
        && (boot.Finished is not null || boot.Milestone >= BootMilestone.Kernel || seen.At - boot.LastActivity > Silence);

    static BootMilestone? MilestoneOf(BootStage stage) => stage switch
    {
        BootStage.DhcpDiscover or BootStage.DhcpOffer or BootStage.DhcpRequest => BootMilestone.Discover,
        BootStage.DhcpAck => BootMilestone.Address,
        BootStage.LoaderStarted or BootStage.LoaderFinished => BootMilestone.Loader,
        BootStage.Script => BootMilestone.Script,
        BootStage.KernelStarted or BootStage.KernelFinished => BootMilestone.Kernel,
        BootStage.InitramfsStarted or BootStage.InitramfsFinished or BootStage.RootStarted or BootStage.RootFinished => BootMilestone.Initramfs,
        BootStage.DhcpNak or BootStage.DhcpDecline or BootStage.DhcpRelease or BootStage.DhcpInform or BootStage.TransferFailed => null,
    };

    /// <summary>The timeline's words for an observation; null for what would only be noise.</summary>
    public static (string Kind, string Message, EventSeverity Severity, bool ByNode)? Tell(in BootObservation seen) => seen.Stage switch
    {
        BootStage.DhcpDiscover => ("dhcp.discover", With("asks for an address", seen.Detail), EventSeverity.Info, true),
        BootStage.DhcpOffer => ("dhcp.offer", With($"offered {seen.Ip}", seen.Detail), EventSeverity.Info, false),
        BootStage.DhcpRequest => null,
        BootStage.DhcpAck => ("dhcp.ack", With($"has the address {seen.Ip}", seen.Detail), EventSeverity.Info, false),
        BootStage.DhcpNak => ("dhcp.nak", With("was refused an address", seen.Detail), EventSeverity.Warning, false),
        BootStage.DhcpDecline => ("dhcp.decline", With($"found {seen.Ip} in use by somebody else", seen.Detail), EventSeverity.Warning, true),
        BootStage.DhcpRelease => ("dhcp.release", $"gave {seen.Ip} back", EventSeverity.Info, true),
        BootStage.DhcpInform => null,
        BootStage.LoaderStarted => null,
        BootStage.LoaderFinished => ("boot.loader", With("fetched its boot loader", seen.Detail), EventSeverity.Info, false),
        BootStage.Script => ("boot.script", With("fetched its boot script", seen.Detail), EventSeverity.Info, false),
        BootStage.KernelStarted => ("boot.kernel", "fetches the kernel", EventSeverity.Info, false),
        BootStage.KernelFinished => ("boot.kernel-fetched", With("has the kernel", Size(seen.Bytes)), EventSeverity.Info, false),
        BootStage.InitramfsStarted => ("boot.initramfs", "fetches the node image", EventSeverity.Info, false),
        BootStage.InitramfsFinished => ("boot.initramfs-fetched", With("has the node image", Size(seen.Bytes)), EventSeverity.Info, false),
        BootStage.RootStarted => ("boot.root", $"fetches the {seen.Detail} root image", EventSeverity.Info, false),
        BootStage.RootFinished => ("boot.root-fetched", With($"has the {seen.Detail} root image", Size(seen.Bytes)), EventSeverity.Info, false),
        BootStage.TransferFailed => ("boot.transfer-failed", With("a transfer broke off", seen.Detail), EventSeverity.Warning, false),
    };

    static string With(string sentence, string? detail) => string.IsNullOrEmpty(detail) ? sentence : $"{sentence} ({detail})";

    static string? Size(long bytes) => bytes == 0 ? null : $"{bytes / 1048576.0:0.0} MiB";
}
