using System.Diagnostics;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Tests.Lab;

public sealed class ProcessIdentityTests
{
    const int Terminate = 15;

    [Fact]
    public void A_recycled_number_is_another_process_and_is_not_signalled()
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/sleep") { ArgumentList = { "60" } })!;
        var identity = Assert.NotNull(ProcessIdentity.Of(process.Id));
        var predecessor = identity with { StartTicks = identity.StartTicks - 1 };

        predecessor.Signal(Terminate);

        Assert.False(predecessor.IsAlive);
        Assert.True(identity.IsAlive);

        identity.Signal(Terminate);

        process.WaitForExit();
        Assert.False(identity.IsAlive);
        identity.Signal(Terminate);
    }

    [Fact]
    public void There_is_no_identity_of_a_number_that_nobody_has() => Assert.Null(ProcessIdentity.Of(int.MaxValue));

    [Fact]
    public void A_state_that_was_cut_short_reads_as_none()
    {
        var plan = LabPlan.For(LabName.Default, LabServers.StandardRack);
        var state = LabState.Of(plan, DateTimeOffset.UnixEpoch) with { Troubles = ["cable n3"] };
        var directory = Directory.CreateTempSubdirectory("gridlab-test");
        var path = Path.Combine(directory.FullName, "lab.json");
        try
        {
            Assert.Null(LabState.Read(path));
            state.Write(path);
            Assert.Equivalent(state, LabState.Read(path), strict: true);
            File.WriteAllText(path, File.ReadAllText(path)[..40]);
            Assert.Null(LabState.Read(path));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
