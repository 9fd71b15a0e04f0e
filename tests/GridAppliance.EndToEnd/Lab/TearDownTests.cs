using System.Diagnostics;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Lab;

public sealed class TearDownTests : IAsyncLifetime
{
    static readonly LabPlan Plan = LabPlan.For(LabName.Parse("e2edown"), [ServerFirmware.Bios, ServerFirmware.UefiHttp]);
    static readonly LabPrograms Programs = LabPrograms.Built();

    readonly LabRig rig = new(Plan, Programs, TimeProvider.System);

    public Task InitializeAsync() => new LabFactAttribute().Skip is null ? rig.TearDownAsync(CancellationToken.None) : Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await InitializeAsync();
        rig.Dispose();
    }

    [LabFact]
    public async Task Down_removes_every_process_namespace_interface_mount_and_file_and_can_be_said_twice()
    {
        Assert.Empty(LabTraces.Of(Plan, rig.Processes));

        await rig.BuildAsync(CancellationToken.None);
        foreach (var server in Plan.Servers) await rig.Servers.PowerOnAsync(server, CancellationToken.None);
        var processes = rig.Processes.All();
        Assert.Equal(["directory", "mount", "namespace", "process"], LabTraces.Of(Plan, rig.Processes).Select(trace => trace.Split(' ')[0]).Distinct().Order());
        Assert.InRange(processes.Count, Plan.Servers.Count + 2, 20);

        await rig.TearDownAsync(CancellationToken.None);
        Assert.Empty(LabTraces.Of(Plan, rig.Processes));
        Assert.DoesNotContain(processes, process => process.IsAlive);

        await rig.TearDownAsync(CancellationToken.None);
        Assert.Empty(LabTraces.Of(Plan, rig.Processes));
    }

    [LabFact]
    public async Task Down_removes_what_a_gridlab_made_that_was_killed_at_any_moment()
    {
        var moments = (Func<bool>[])
        [
            () => File.Exists(Plan.Paths.State),
            () => Namespaces.Exists(Plan.Appliance.Namespace),
            () => Namespaces.Exists(Plan.Switch.Namespace),
            () => File.Exists(Plan.Paths.Log("ovsdb-server")),
            () => File.Exists(Plan.Paths.SwitchSocket),
            () => File.Exists(Plan.Paths.Log("ovs-vswitchd")),
            () => Mounts.IsMounted(Plan.Paths.Data),
            () => File.Exists(Plan.Servers[0].Disk),
            () => rig.Servers.Running(Plan.Servers[1]) is not null,
        ];
        foreach (var moment in moments)
        {
            await rig.TearDownAsync(CancellationToken.None);
            await KilledUpAsync(moment);

            await rig.TearDownAsync(CancellationToken.None);

            Assert.Empty(LabTraces.Of(Plan, rig.Processes));
        }
    }

    static async Task KilledUpAsync(Func<bool> moment)
    {
        var start = new ProcessStartInfo(Programs.Gridlab) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["up", "--without-appliance", "--name", Plan.Name.ToString(), "--servers", "bios,uefi-http"]) start.ArgumentList.Add(argument);
        using var up = Process.Start(start)!;
        var seen = SpinWait.SpinUntil(() => moment() || up.HasExited, TimeSpan.FromSeconds(20));
        up.Kill();
        await up.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(seen && (up.ExitCode != 0 || moment()), $"the moment never came: {await up.StandardError.ReadToEndAsync()}");
    }
}
