using System.Diagnostics;
using GridAppliance.Agent;
using GridAppliance.Agent.Resources;

namespace GridAppliance.Tests.Agent;

/// <summary>Devices that are somebody else's, on this machine's own kernel; its null and zero devices play the accelerators.</summary>
public sealed class DeviceFenceTests : IDisposable
{
    const string First = "0000:3b:00.0", Second = "0000:5e:00.0";

    readonly ScratchFolder folder = new();
    readonly AgentPaths paths;
    readonly ControlGroups groups;

    public DeviceFenceTests()
    {
        NodeRoot.Make(folder.Path);
        paths = new(folder.Path);
        Put($"sys/bus/pci/devices/{First}/drm/card0/dev", "1:3\n");
        Put($"sys/bus/pci/devices/{Second}/accel/accel0/dev", "1:5\n");
        Put($"sys/bus/pci/devices/{Second}/power/control", "auto\n");
        Put($"proc/driver/nvidia/gpus/{Second}/information", "Model: \t\t Some card\nDevice Minor: \t 7\n");
        groups = new(paths, [First, Second]);
        Directory.CreateDirectory(Group);
    }

    public void Dispose() => folder.Dispose();

    string Group => Path.Combine(paths.ControlGroups, "app");

    void Put(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder.Path, path))!);
        File.WriteAllText(Path.Combine(folder.Path, path), text);
    }

    /// <summary>Whether a program in the group can open a device.</summary>
    bool Opens(string device)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "echo $$ > \"$0/cgroup.procs\" && exec 3< \"$1\"", Group, device]) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 || said.Contains("Operation not permitted", StringComparison.Ordinal), said);
        return process.ExitCode == 0;
    }

    [Fact]
    public void A_PCI_devices_files_are_found_with_those_that_its_driver_numbers_by_itself()
    {
        Assert.Equal([new(1, 3)], DeviceFence.NumbersOf(paths, First));
        Assert.Equal([new(1, 5), new(195, 7)], DeviceFence.NumbersOf(paths, Second));
        Assert.Empty(DeviceFence.NumbersOf(paths, "0000:00:00.0"));
    }

    [Fact]
    public void Only_what_is_held_can_be_opened_by_root_too_and_a_later_fence_takes_the_place_of_the_earlier()
    {
        Assert.Equal((true, true), (Opens("/dev/null"), Opens("/dev/zero")));
        groups.Fence(Group, []);
        Assert.Equal((false, false, true), (Opens("/dev/null"), Opens("/dev/zero"), Opens("/dev/urandom")));
        groups.Fence(Group, [Second]);
        Assert.Equal((false, true), (Opens("/dev/null"), Opens("/dev/zero")));
        groups.Fence(Group, [First, Second]);
        Assert.Equal((true, true), (Opens("/dev/null"), Opens("/dev/zero")));
        // Who is not in the group notices nothing.
        groups.Fence(Group, []);
        using var outside = File.OpenRead("/dev/zero");
        Assert.Equal(0, outside.ReadByte());
    }

    [Fact]
    public void A_kernel_without_such_rules_is_an_error_and_not_a_hope() =>
        Assert.Throws<IOException>(() => DeviceFence.Close(folder.Path, [new(1, 5)]));
}
