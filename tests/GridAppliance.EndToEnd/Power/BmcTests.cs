using System.Globalization;
using System.Security.Cryptography;
using GridAppliance.Api.Client;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Power;

/// <summary>A machine with a BMC and nobody near it: from a line in an administrator's list to a node, and off and on again.</summary>
public sealed class BmcTests(ITestOutputHelper output)
{
    /// <summary>Firmware takes a few seconds.</summary>
    static readonly TimeSpan DiscoverPatience = TimeSpan.FromSeconds(45);

    [LabFact]
    public async Task A_machine_that_is_off_is_made_a_node_switched_off_booted_again_and_recovered_through_its_bmc()
    {
        await using var lab = await LabInstance.BuildAsync("e2ebmc", ServerFirmware.Bios);
        var server = lab.Plan.Servers[0];
        await FileSystemAsync(server);
        var client = lab.Rig.Appliance.Client;
        await lab.Rig.Appliance.StartAsync(default);
        Assert.All((await lab.Rig.Bmcs.TellAsync(client, default)).Ports, port => Assert.True(port.Accepted, port.Message));
        var port = await LabInstance.UntilAsync(async () => Assert.Single(await client.GetPorts(null, default)), p => p.State == "answers", "an answer of the BMC");
        Assert.Null(port.Node);
        Assert.Null(lab.Rig.Servers.Running(server));

        // The list says nothing about machines: it becomes a node because its BMC makes it boot, and the BMC is its own because both know the machine's UUID.
        await lab.GridctlAsync("discover", "boot", "--all");
        await lab.UntilIdleAsync();
        var name = (await lab.NodeOfAsync(server)).Name;
        var node = await LabInstance.UntilAsync(() => client.GetNode(name, default), n => n.Bmc is not null && n.Power == "on", "its BMC and its power");
        Assert.Equal(("ipmi", server.Bmc.Address), (node.Bmc!.Kind, node.Bmc.Address));

        Assert.Equal($"{name}: is off", (await lab.GridctlAsync("power", "off", name)).Trim());
        Assert.Null(lab.Rig.Servers.Running(server));
        await LabInstance.UntilAsync(() => client.GetNode(name, default), n => n.Power == "off", "its power, seen off");
        Assert.Contains($"{name} is off since", (await client.GetWhy(name, default)).Reason);

        // What the appliance takes of the time to the DISCOVER is what passes before the machine has power.
        var (powered, discovered) = await TimeAsync(lab, server, name, appliance => appliance.SetBoot(new() { Range = name, Device = "net", Power = true }, default));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"boot --once net --power of a machine that is off: power after {powered.TotalMilliseconds:0} ms, DISCOVER after {discovered.TotalMilliseconds:0} ms"));
        Assert.InRange(powered.TotalSeconds, 0, 1);
        await LabInstance.UntilAsync(() => client.GetNode(name, default), n => n.State == "idle" && n.Boot is { Finished: not null }, "idle once more");

        var before = lab.Rig.Servers.Running(server);
        (powered, discovered) = await TimeAsync(lab, server, name, appliance => appliance.SetPower(new() { Range = name, Action = "cycle" }, default));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"power cycle: power after {powered.TotalMilliseconds:0} ms (the BMC waits a second), DISCOVER after {discovered.TotalMilliseconds:0} ms"));
        Assert.NotEqual(before, lab.Rig.Servers.Running(server));

        await RecoverAsync(lab, server, name);
    }

    /// <summary>What somebody who has a dead machine and a terminal does, and sees.</summary>
    static async Task RecoverAsync(LabInstance lab, LabServer server, string name)
    {
        using var patience = new CancellationTokenSource(LabInstance.Patience);
        var digest = await DigestAsync(server.Disk);
        using var person = new RecoveryTerminal(lab, name);
        Assert.Contains($"{name}: its next boot is for recovery; boots from the network once", await person.SeeAsync("was restarted", patience.Token), StringComparison.Ordinal);
        await person.SeeAsync("recover> ", patience.Token);
        Assert.Matches(@"1  /dev/vda +ext4 +64 MiB  rootfs", person.Seen);
        await person.TypeAsync("1\r", patience.Token);
        Assert.Contains("/dev/vda is at /mnt/vda (ro,noload)", await person.SeeAsync("recover> ", patience.Token), StringComparison.Ordinal);
        await person.TypeAsync("s\r", patience.Token);
        await person.SeeAsync("# ", patience.Token);
        await person.TypeAsync("cat /mnt/vda/note; dd if=/dev/zero of=/dev/vda count=1\r", patience.Token);
        await person.SeeAsync("kept by its owner", patience.Token);
        await person.SeeAsync("error writing '/dev/vda'", patience.Token);
        Assert.Equal(digest, await DigestAsync(server.Disk));

        // Ctrl-] q leaves; what was said stays on the record, and the boot was for this once.
        await person.TypeAsync("\x1d", patience.Token);
        await person.TypeAsync("q", patience.Token);
        Assert.Equal(0, await person.LeftAsync(patience.Token));
        Assert.Contains("rootfs", await lab.GridctlAsync("log", name, "--grep", "ext4 .*rootfs"), StringComparison.Ordinal);
        Assert.Contains((await lab.Rig.Appliance.Client.GetTimeline(name, default)).Events, e => e.Kind == "recovery.booted");
    }

    /// <summary>A file system on a disk that is blank otherwise.</summary>
    static async Task FileSystemAsync(LabServer server)
    {
        var files = Directory.CreateDirectory(Path.Combine(server.Directory, "files")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "note"), "kept by its owner\n");
        await Command.RunAsync(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "rootfs", "-d", files, server.Disk], CancellationToken.None);
    }

    static async Task<string> DigestAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream));
    }

    /// <summary>Gives an order; from then to the machine's power, and to its first DISCOVER.</summary>
    static async Task<(TimeSpan Powered, TimeSpan Discovered)> TimeAsync(LabInstance lab, LabServer server, string name, Func<ApplianceClient, Task<ChangeDocument>> act)
    {
        var client = lab.Rig.Appliance.Client;
        var last = (await client.GetTimeline(name, default)).Events[^1].Sequence;
        var started = TimeProvider.System.GetUtcNow();
        var done = Assert.Single((await act(client)).Nodes);
        Assert.True(done.Accepted, done.Message);
        var events = await LabInstance.UntilAsync(async () => (await client.GetTimeline(name, default)).Events.Where(e => e.Sequence > last).ToList(), e => e.Any(IsDiscover) || TimeProvider.System.GetUtcNow() - started > DiscoverPatience, "a DISCOVER");
        var seen = events.FirstOrDefault(IsDiscover);
        Assert.True(seen is not null, $"no DISCOVER within {DiscoverPatience.TotalSeconds} s, only: {string.Join("; ", events.Select(e => e.Message))}. Its console ends: {lab.Rig.Servers.ConsoleEnd(server)}");
        var powered = new DateTimeOffset(File.GetLastWriteTimeUtc(lab.Plan.Paths.Pid(server.Name)));
        return (powered - started, seen.At - started);
    }

    static bool IsDiscover(EventDocument happened) => happened.Kind == "dhcp.discover";
}
