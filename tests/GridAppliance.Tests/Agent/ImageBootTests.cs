using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent;
using GridAppliance.Api.Agents;

namespace GridAppliance.Tests.Agent;

/// <summary>An order to boot another image, up to the call that hands it to the kernel.</summary>
public sealed class ImageBootTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    readonly List<(string Kernel, string Initramfs, string Line)> loaded = [];
    ScriptedAppliance appliance = null!;
    AgentUnderTest agent = null!;
    string? refusal;

    public async Task InitializeAsync()
    {
        appliance = await ScriptedAppliance.StartAsync();
        appliance.BootFiles["vmlinuz"] = "a kernel"u8.ToArray();
        appliance.BootFiles["initramfs.zst"] = "an initramfs"u8.ToArray();
        agent = new(appliance, folder.Path, load: (kernel, initramfs, line) =>
        {
            loaded.Add((File.ReadAllText(kernel), File.ReadAllText(initramfs), line));
            return refusal;
        });
        await appliance.Enrolments.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await appliance.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task What_was_ordered_is_loaded_with_a_fresh_token_and_takes_over_once_that_is_told()
    {
        var result = await OrderAsync("a kernel", "an initramfs");
        Assert.True(result.Succeeded, result.Message);
        var (kernel, initramfs, line) = Assert.Single(loaded);
        Assert.Equal(("a kernel", "an initramfs"), (kernel, initramfs));
        Assert.Equal($"console=ttyS0 grid.root=77 grid.url=http://{appliance.EndPoint} grid.key={appliance.Fingerprint} grid.token=fresh-token", line);
        Assert.Equal(AgentEnd.LoadedKernel, await agent.Running.WaitAsync(Patience));
        Assert.Empty(Directory.GetFiles(agent.Paths.Incoming));
    }

    [Theory]
    [InlineData("another kernel", "an initramfs", "the kernel could not be fetched: ")]
    [InlineData("a kernel", "another tree", "the initramfs could not be fetched: ")]
    public async Task What_is_not_what_was_ordered_is_never_handed_to_the_kernel(string kernel, string initramfs, string said)
    {
        var result = await OrderAsync(kernel, initramfs);
        Assert.False(result.Succeeded);
        Assert.StartsWith(said, result.Message, StringComparison.Ordinal);
        Assert.Empty(loaded);
        Assert.False(agent.Running.IsCompleted);
    }

    [Fact]
    public async Task A_kernel_that_loads_no_other_is_an_answer_and_the_agent_goes_on()
    {
        refusal = "Operation not permitted";
        var result = await OrderAsync("a kernel", "an initramfs");
        Assert.Equal((false, "the kernel of this node refuses to load another: Operation not permitted"), (result.Succeeded, result.Message));
        Assert.False(agent.Running.IsCompleted);
    }

    async Task<OrderResult> OrderAsync(string kernel, string initramfs)
    {
        appliance.Send(new OrderDocument
        {
            Id = "boot-1", NodeId = "node-1", Kind = "image.boot",
            Boot = new() { Image = "debian", Kernel = FileOf("vmlinuz", kernel), Initramfs = FileOf("initramfs.zst", initramfs), Arguments = "console=ttyS0 grid.root=77" },
        });
        return (await appliance.Results.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Result;
    }

    static BootOrderFile FileOf(string key, string content) => new() { Key = key, Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content))), SizeBytes = Encoding.UTF8.GetByteCount(content) };
}
