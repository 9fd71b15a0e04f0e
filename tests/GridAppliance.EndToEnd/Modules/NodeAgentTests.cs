using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Boots;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;

namespace GridAppliance.EndToEnd.Modules;

/// <summary>Another version of the agent on a booted node, while a module runs there.</summary>
[Collection(BootedLabs.Name)]
public sealed class NodeAgentTests(BootedLab lab)
{
    /// <summary>How the program's own version stands in it, as an attribute's value: a length, and that many letters.</summary>
    static readonly byte[] shippedVersion = [1, 0, 5, .. "0.1.0"u8, 0, 0], nextVersion = [1, 0, 5, .. "0.1.9"u8, 0, 0];

    LabInstance Instance => lab.Instance;

    [LabFact]
    [Trait("Soak", "yes")]
    public async Task The_agent_is_replaced_under_a_running_module_and_one_that_does_not_work_is_taken_back()
    {
        var client = Instance.Rig.Appliance.Client;
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[0])).Name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Instance.TrustAsync("agents", key.ExportSubjectPublicKeyInfoPem());
        var shipped = await File.ReadAllBytesAsync(Path.Combine(LabPrograms.Built().BootFilesOf(LabImage.Virtual), "grid-agent"));
        Assert.Equal("done", await Instance.EndOfAsync(await client.InstallModule(new() { Range = node, Module = "hello" }, CancellationToken.None)));

        await ImportAsync("0.1.9", NextVersionOf(shipped), key);
        Assert.Equal("done", await Instance.EndOfAsync(await client.UpdateAgents(new() { Range = node }, CancellationToken.None)));
        var updated = await client.GetNode(node, CancellationToken.None);
        Assert.Equal(("0.1.9", "running"), (updated.Agent?.Version, Assert.Single(updated.Modules).State));

        await ImportAsync("0.1.10", "#!/bin/sh\nexit 1\n"u8.ToArray(), key);
        Assert.Equal("failed: agent 0.1.10 ended before it had reported; agent 0.1.9 is back", await Instance.EndOfAsync(await client.UpdateAgents(new() { Range = node }, CancellationToken.None)));
        // It still takes orders, and knows the module that its predecessor's predecessor installed.
        Assert.Equal("done", await Instance.EndOfAsync(await client.RemoveModule(new() { Range = node, Module = "hello" }, CancellationToken.None)));
        Assert.Empty((await client.GetNode(node, CancellationToken.None)).Modules);
    }

    async Task ImportAsync(string version, byte[] program, ECDsa key)
    {
        var package = ModulePackageWriter.Write(new() { Name = ModuleManifest.Agent, Class = ModuleManifest.Agent, Version = version, Start = ["grid-agent"] }, [new("grid-agent", program, Executable: true)], key);
        await Instance.Rig.Appliance.Client.ImportModule(new MemoryStream(package), CancellationToken.None);
    }

    /// <summary>The shipped program under another version: the next release, without building one.</summary>
    static byte[] NextVersionOf(byte[] shipped)
    {
        var at = shipped.AsSpan().IndexOf(shippedVersion);
        Assert.True(at > 0 && shipped.AsSpan(at + 1).IndexOf(shippedVersion) < 0, "the agent's version stands in it exactly once");
        var next = shipped.ToArray();
        nextVersion.CopyTo(next, at);
        return next;
    }
}
