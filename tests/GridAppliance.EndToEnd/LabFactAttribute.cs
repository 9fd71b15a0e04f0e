using GridAppliance.Lab.Native;

namespace GridAppliance.EndToEnd;

/// <summary>
/// A test in a lab of its own. Skipped, with the reason, where the kernel or the user cannot have one; programs or images that are not built are no reason
/// to skip but a failure.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LabFactAttribute : FactAttribute
{
    public LabFactAttribute()
    {
        if (Libc.EffectiveUser() != 0) Skip = "a lab makes network namespaces, which wants root";
        else if (!File.Exists("/dev/net/tun")) Skip = "the kernel has no /dev/net/tun for the servers' network ports";
        else if (!File.Exists("/proc/self/ns/net")) Skip = "the kernel has no network namespaces";
    }
}
