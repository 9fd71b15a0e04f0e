using System.Net;
using System.Net.Http.Json;
using GridAppliance.Api.Client;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Operations;

namespace GridAppliance.Tests.Web;

public sealed class ModuleEndpointTests
{
    static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_package_that_is_none_is_refused_with_its_reason_and_kept_nowhere()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var client = plane.Client();
        var before = await client.GetModules(Never);
        using var junk = new MemoryStream(new byte[100_000]); // beyond the bound of other bodies
        var refused = await Assert.ThrowsAsync<ApplianceException>(() => client.ImportModule(junk, Never));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("the package is refused", refused.Message);
        Assert.Equal(before.Count, (await client.GetModules(Never)).Count);
    }

    [Fact]
    public async Task The_shipped_module_is_installed_as_an_operation_per_node_and_what_cannot_be_says_why()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var idle = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.ReadyAsync(plane, idle);
        await SampleNodes.DiscoverAsync(plane, 2);
        var hello = Assert.Single(plane.Get<GridAppliance.Modules.ModuleCatalog>().List(), module => module.Name == "hello");

        var dry = await plane.Gridctl("module", "install", "n[1-3]", "hello", "--dry-run");
        Assert.Equal(2, dry.Status);
        Assert.Contains($"n1: hello {hello.Version} will be installed", dry.Output);
        Assert.Contains("n3: there is no such node", dry.Output);
        Assert.Empty(await Operations(plane));

        var real = await plane.Gridctl("module", "install", "n1", "hello", "--no-wait", "-o", "json");
        Assert.Equal(0, real.Status);
        var operation = Assert.Single(await Operations(plane));
        Assert.Equal(("n1", "running", Environment.UserName), (operation.Node, operation.State, operation.StartedBy));
        Assert.Contains(operation.Id, real.Output);
        Assert.Contains("hello", (await plane.Gridctl("module", "list")).Output);
        Assert.Equal(3, (await plane.Gridctl("module", "install", "n1", "nonsense")).Status);
        Assert.Equal(3, (await plane.Gridctl("module", "remove", "n1", "nonsense")).Status);
    }

    [Fact]
    public async Task A_change_of_modules_from_a_foreign_page_is_refused()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        using var upload = await http.PostAsync("/api/v1/modules", new ByteArrayContent([1]));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, upload.StatusCode);
        http.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        using var install = await http.PostAsJsonAsync("/api/v1/modules/install", new ModuleChangeRequest { Range = "all", Module = "hello" });
        Assert.Equal(HttpStatusCode.Forbidden, install.StatusCode);
    }

    static async Task<IReadOnlyList<OperationDocument>> Operations(ManagementPlaneHost plane)
    {
        using var client = plane.Client();
        return [.. (await client.GetOperations(Never)).Where(operation => operation.Kind.StartsWith("module", StringComparison.Ordinal))];
    }
}
