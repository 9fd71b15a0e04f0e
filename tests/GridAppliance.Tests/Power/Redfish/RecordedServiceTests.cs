using GridAppliance.Hosting;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Power;
using GridAppliance.Power.Redfish;
using GridAppliance.Testing;
using Microsoft.AspNetCore.Http;

namespace GridAppliance.Tests.Power.Redfish;

/// <summary>The driver against the recorded pages of real machines: what they leave out, spell otherwise and put elsewhere.</summary>
public sealed class RecordedServiceTests : IAsyncLifetime
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    readonly List<(string Request, string Body)> changes = [];
    RedfishSimulator bmc = null!;

    public async Task InitializeAsync() => bmc = await RedfishSimulator.StartAsync();

    public async Task DisposeAsync() => await bmc.DisposeAsync();

    /// <summary>Serves a recorded tree; what would change it is written down and said to be done.</summary>
    RedfishBmc Open(string tree, string path = "")
    {
        var root = SharedCases.PathOf($"redfish/{tree}");
        bmc.Instead = async context =>
        {
            if (context.Request.Path.StartsWithSegments("/redfish/v1/SessionService/Sessions")) return false;
            if (context.Request.Method != "GET")
            {
                using var reader = new StreamReader(context.Request.Body);
                changes.Add(($"{context.Request.Method} {context.Request.Path} {context.Request.Headers.IfMatch}".TrimEnd(), await reader.ReadToEndAsync()));
                context.Response.StatusCode = 204;
                return true;
            }
            var page = Path.Combine(root, context.Request.Path.Value!.Trim('/'), "index.json");
            // One of the trees begins below /redfish/v1.
            if (!File.Exists(page)) page = Path.Combine(root, context.Request.Path.Value!.Trim('/')["redfish/v1".Length..].Trim('/'), "index.json");
            if (File.Exists(page)) await context.Response.SendFileAsync(page);
            else await RedfishSimulator.FailAsync(context, 404, "not recorded");
            return true;
        };
        return RedfishBmcTests.Open(bmc, path: path);
    }

    [CaseTheory]
    [InlineData("libredfish-dell", "/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset", "PowerCycle", "")]
    [InlineData("libredfish-supermicro", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "PowerCycle", "/redfish/v1/Systems/1")]
    [InlineData("dmtf-public-rackmount1", "/redfish/v1/Systems/437XR1138R2/Actions/ComputerSystem.Reset", "ForceRestart", "")]
    public async Task A_recorded_machine_is_on_and_is_cycled_in_its_own_words(string tree, string target, string word, string path)
    {
        await using var port = Open(tree, path);
        Assert.Equal(PowerState.On, await port.GetPowerAsync(Patience));
        await port.SetPowerAsync(PowerAction.Cycle, Patience);
        Assert.Equal([($"POST {target}", $$"""{"ResetType":"{{word}}"}""")], changes);
    }

    [CaseTheory]
    [InlineData("libredfish-dell", "/redfish/v1/Systems/System.Embedded.1", "", "")]
    [InlineData("libredfish-supermicro", "/redfish/v1/Systems/1", "/redfish/v1/Systems/1", " \"a0a7128477b3552049bdbf0d3286de78\"")]
    [InlineData("dmtf-public-rackmount1", "/redfish/v1/Systems/437XR1138R2", "", "")]
    public async Task A_recorded_machine_is_told_to_boot_from_the_network_once(string tree, string system, string path, string etag)
    {
        await using var port = Open(tree, path);
        await port.SetBootAsync(new(BootDevice.Network, BootFirmware.Uefi, IsPersistent: false), Patience);
        // All three boot by UEFI already: the mode is left alone.
        Assert.Equal([($"PATCH {system}{etag}", """{"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"Pxe"}}""")], changes);
    }

    [CaseTheory]
    [InlineData("libredfish-dell", "", "Dell Inc.", "PowerEdge R750")]
    [InlineData("libredfish-supermicro", "/redfish/v1/Systems/1", "Supermicro", "SYS-821GE-TNHR")]
    [InlineData("dmtf-public-rackmount1", "", "Contoso", "3500")]
    public async Task A_recorded_machine_says_who_it_is(string tree, string path, string maker, string product)
    {
        await using var port = Open(tree, path);
        var label = (await port.ReadPartsAsync(Patience))[0];
        Assert.Equal((maker, product), (label.Maker, label.Product));
        Assert.Single(await port.ReadSystemUuidAsync(Patience));
    }

    [CaseTheory]
    [InlineData("libredfish-dell", "")]
    [InlineData("libredfish-supermicro", "/redfish/v1/Systems/1")]
    [InlineData("dmtf-public-rackmount1", "")]
    public async Task The_sensors_of_a_recorded_machine_have_values(string tree, string path)
    {
        await using var port = Open(tree, path);
        var sensors = await port.ReadSensorsAsync(Patience);
        Assert.Contains(sensors, s => s is { Kind: "Temperature", Value: > 0 and < 120, Health: SensorHealth.Ok });
        Assert.Contains(sensors, s => s is { Kind: "Fan", Value: > 0 });
        Assert.All(sensors, s => Assert.NotEqual("", s.Name));
    }

    [CaseFact]
    public async Task A_service_with_a_resource_for_each_sensor_is_read_one_by_one()
    {
        await using var port = Open("dmtf-public-rackmount1");
        var recorded = bmc.Instead!;
        bmc.Instead = async context =>
        {
            if (context.Request.Path.Value!.TrimEnd('/') is not ("/redfish/v1/Chassis/1U/Thermal" or "/redfish/v1/Chassis/1U/Power")) return await recorded(context);
            await RedfishSimulator.FailAsync(context, 404, "not in this service");
            return true;
        };
        var sensors = await port.ReadSensorsAsync(Patience);
        Assert.InRange(sensors.Count, 30, 60);
        Assert.Contains(sensors, s => s is { Kind: "Temperature", Unit: "°C", Value: > 0 and < 120 });
    }

    [CaseFact]
    public async Task The_nics_and_drives_of_the_public_mockup_are_found()
    {
        await using var port = Open("dmtf-public-rackmount1");
        Assert.Contains(await port.ReadMachineMacsAsync(Patience), mac => mac.ToString() == "12:44:6a:3b:04:11");
        Assert.Contains(await port.ListMediaAsync(Patience), drive => drive.Kinds.Contains("CD"));
    }

    [CaseTheory]
    [InlineData("error.json", "The value Red for the property IndicatorLED")]
    [InlineData("error_single_ext_info.json", "A general error has occurred")]
    [InlineData("credentials_required_error.json", "requires the parameter UserName")]
    [InlineData("transfer_proto_required_error.json", "TransferProtocolType")]
    public void Recorded_errors_are_put_into_words(string file, string words)
    {
        var told = RedfishErrors.Words(SharedCases.Json($"redfish/sushy/{file}"));
        Assert.NotNull(told);
        Assert.Contains(words, told, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(told.Length, 1, 301);
    }

    [CaseFact]
    public async Task No_recorded_page_makes_the_driver_fall_over_when_it_stands_where_another_belongs()
    {
        var pages = Directory.EnumerateFiles(SharedCases.PathOf("redfish/sushy"), "*.json").Order().ToList();
        foreach (var page in pages)
        {
            bmc.Instead = async context =>
            {
                if (context.Request.Path.StartsWithSegments("/redfish/v1/SessionService/Sessions") || context.Request.Method != "GET") return false;
                await context.Response.SendFileAsync(page);
                return true;
            };
            await using var port = RedfishBmcTests.Open(bmc, path: "/redfish/v1/Systems/1");
            await EitherAsync(() => port.GetPowerAsync(Patience));
            await EitherAsync(() => port.GetBootAsync(Patience));
            await EitherAsync(() => port.ReadSensorsAsync(Patience));
            await EitherAsync(() => port.ReadEventsAsync(Patience));
            await EitherAsync(() => port.ReadMachineMacsAsync(Patience));
            await EitherAsync(() => port.ListMediaAsync(Patience));
        }
        Assert.NotEmpty(pages);

        static async Task EitherAsync(Func<Task> ask)
        {
            try { await ask(); }
            catch (DeviceException) { /* Told as what it is; anything else fails the test. */ }
        }
    }
}
