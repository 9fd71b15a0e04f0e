using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Cli;

public sealed class NodeInstallCommandTests
{
    [Fact]
    public async Task A_private_key_that_is_named_by_mistake_does_not_leave_the_machine()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        var key = Path.Combine(plane.DataDir, "id_ed25519");
        await File.WriteAllTextAsync(key, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n");
        var refused = await InstallAsync(key);
        Assert.Equal((1, ""), (refused.Status, refused.Output));
        Assert.Contains("id_ed25519 is a private key", refused.Error, StringComparison.Ordinal);

        Assert.Contains("no-such", (await InstallAsync(Path.Combine(plane.DataDir, "no-such"))).Error, StringComparison.Ordinal);

        // A public one gets as far as the appliance, which looks at the node.
        await File.WriteAllTextAsync(key + ".pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q alice@desk\n");
        Assert.Contains("n1: ", (await InstallAsync(key + ".pub")).Output, StringComparison.Ordinal);

        Task<ManagementPlaneHost.Ran> InstallAsync(string file) => plane.Gridctl("node", "install", "n1", "debian", "--disk", "vda", "--ssh-key", file, "--dry-run");
    }
}
