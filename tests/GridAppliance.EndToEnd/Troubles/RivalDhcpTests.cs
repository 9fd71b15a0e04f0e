using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Troubles;

namespace GridAppliance.EndToEnd.Troubles;

public sealed class RivalDhcpTests
{
    [LabFact]
    public async Task An_appliance_refuses_to_serve_beside_another_dhcp_server_and_says_which_and_what_to_do()
    {
        await using var instance = await LabInstance.BuildAsync("e2eriva");
        var rival = new RivalDhcp();
        await rival.MakeAsync(instance.Rig, "", CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<LabException>(() => instance.Rig.Appliance.StartAsync(CancellationToken.None));

        Assert.Contains("The appliance ended instead of serving.", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("10.77.0.2", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--force", refusal.Message, StringComparison.Ordinal);

        await rival.UndoAsync(instance.Rig, "", CancellationToken.None);
        await instance.Rig.Appliance.StartAsync(CancellationToken.None);
        Assert.NotNull(instance.Rig.Appliance.Running);
        Assert.False(Namespaces.Exists($"{instance.Plan.Name}-rival"));
    }
}
