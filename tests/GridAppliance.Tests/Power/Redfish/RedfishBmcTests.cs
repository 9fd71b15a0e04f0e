using System.Text;
using System.Text.Json;
using GridAppliance.Hosting;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Power;
using GridAppliance.Power.Redfish;
using GridAppliance.Testing;
using Microsoft.AspNetCore.Http;

namespace GridAppliance.Tests.Power.Redfish;

public sealed class RedfishContractTests : PowerContract
{
    RedfishSimulator bmc = null!;

    public override async Task InitializeAsync() => bmc = await RedfishSimulator.StartAsync();

    public override async Task DisposeAsync() => await bmc.DisposeAsync();

    private protected override Task<IPrivilegedPort> OpenAsync() => Task.FromResult<IPrivilegedPort>(RedfishBmcTests.Open(bmc));

    private protected override Task<IPrivilegedPort> OpenWithWrongPasswordAsync() => Task.FromResult<IPrivilegedPort>(RedfishBmcTests.Open(bmc, password: "wrong"));
}

/// <summary>The Redfish driver against a service that keeps state, and that misbehaves as real ones do.</summary>
public sealed class RedfishBmcTests : IAsyncLifetime
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    readonly ManualClock clock = new();
    RedfishSimulator bmc = null!;

    public async Task InitializeAsync() => bmc = await RedfishSimulator.StartAsync();

    public async Task DisposeAsync() => await bmc.DisposeAsync();

    internal static RedfishBmc Open(RedfishSimulator bmc, string? password = null, string? pin = null, TimeProvider? clock = null, string path = "") => new(new(bmc.Address.OriginalString + path),
        new(bmc.Address, new() { User = RedfishSimulator.User, Password = Encoding.UTF8.GetBytes(password ?? RedfishSimulator.Password) }, pin, clock ?? TimeProvider.System));

    [Fact]
    public async Task One_session_serves_all_callers_one_after_the_other_and_is_given_back()
    {
        var port = Open(bmc);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => port.GetPowerAsync(Patience)));
        Assert.Equal((1, 1, 1), (bmc.OpenSessions, bmc.MostAtOnce, bmc.Count("POST /redfish/v1/SessionService/Sessions")));
        await port.DisposeAsync();
        Assert.Equal(0, bmc.OpenSessions);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Services_without_sessions_or_without_a_place_for_them_are_used_all_the_same(bool hasSessions, bool saysLocation)
    {
        (bmc.HasSessions, bmc.SaysLocation) = (hasSessions, saysLocation);
        var port = Open(bmc);
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        await port.DisposeAsync();
        Assert.Equal(0, bmc.OpenSessions);
    }

    [Fact]
    public async Task A_session_that_the_device_has_forgotten_is_opened_anew_and_nothing_is_done_twice()
    {
        await using var port = Open(bmc);
        await port.GetPowerAsync(Patience);
        bmc.ForgetSessions();
        await port.SetPowerAsync(PowerAction.On, Patience);
        Assert.Equal(["On"], bmc.Resets);
    }

    [Fact]
    public async Task A_wrong_password_is_tried_once()
    {
        await using var port = Open(bmc, password: "wrong");
        for (var i = 0; i < 4; i++) Assert.Equal(DeviceFault.CredentialsRefused, (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Fault);
        Assert.Equal(1, bmc.Count("POST /redfish/v1/SessionService/Sessions"));
    }

    [Fact]
    public async Task The_certificate_that_it_shows_first_is_the_one_that_it_has_to_show()
    {
        await using (var port = Open(bmc))
        {
            await port.GetPowerAsync(Patience);
            Assert.Equal(bmc.Fingerprint, port.Fingerprint);
        }
        var pin = bmc.Fingerprint;
        await using (var again = Open(bmc, pin: pin)) await again.GetPowerAsync(Patience);

        await bmc.RestartAsync(newCertificate: true);
        bmc.Log.Clear();
        await using var stranger = Open(bmc, pin: pin);
        var told = await Assert.ThrowsAsync<DeviceException>(() => stranger.GetPowerAsync(Patience));
        Assert.Equal(DeviceFault.Insecure, told.Fault);
        Assert.Contains(bmc.Fingerprint, told.Message);
        // Not even the account's name went there.
        Assert.Empty(bmc.Log);
    }

    [Theory]
    [InlineData(nameof(PowerAction.Off), "On", "ForceOff")]
    [InlineData(nameof(PowerAction.SoftOff), "On", "GracefulShutdown")]
    [InlineData(nameof(PowerAction.Cycle), "On", "PowerCycle")]
    [InlineData(nameof(PowerAction.Cycle), "Off", "On")]
    [InlineData(nameof(PowerAction.Reset), "On", "ForceRestart")]
    [InlineData(nameof(PowerAction.Interrupt), "On", "Nmi")]
    [InlineData(nameof(PowerAction.On), "On", null)]
    public async Task What_is_asked_is_said_in_the_services_words(string action, string state, string? said)
    {
        bmc.PowerState = state;
        await using var port = Open(bmc);
        await port.SetPowerAsync(Enum.Parse<PowerAction>(action), Patience);
        Assert.Equal(said is null ? [] : [said], bmc.Resets);
    }

    [Fact]
    public async Task What_a_service_does_not_offer_has_another_word_or_is_refused_before_it_is_asked()
    {
        bmc.PowerState = "On";
        bmc.ResetTypes = ["On", "ForceOff", "ForceRestart"];
        await using var port = Open(bmc);
        await port.SetPowerAsync(PowerAction.Cycle, Patience);
        Assert.Equal(["ForceRestart"], bmc.Resets);
        Assert.Equal(DeviceFault.Unsupported, (await Assert.ThrowsAsync<DeviceException>(() => port.SetPowerAsync(PowerAction.SoftOff, Patience))).Fault);
    }

    [Fact]
    public async Task What_it_boots_from_is_set_and_read_back_and_http_boot_has_its_address()
    {
        await using var port = Open(bmc);
        await port.SetBootAsync(new(BootDevice.Network, BootFirmware.Uefi, IsPersistent: false), Patience);
        Assert.Equal(new(BootDevice.Network, BootFirmware.Uefi, false), await port.GetBootAsync(Patience));
        await port.SetBootAsync(new(BootDevice.Disk, BootFirmware.Bios, IsPersistent: true), Patience);
        Assert.Equal(("Continuous", "Hdd", "Legacy"), ((string?)bmc.Boot["BootSourceOverrideEnabled"], (string?)bmc.Boot["BootSourceOverrideTarget"], (string?)bmc.Boot["BootSourceOverrideMode"]));
        await port.SetBootAsync(new(BootDevice.None, BootFirmware.Uefi, IsPersistent: false), Patience);
        Assert.Null(await port.GetBootAsync(Patience));
        await port.SetHttpBootAsync(new("http://10.77.0.1:8067/boot/ipxe.efi"), Patience);
        Assert.Equal(("UefiHttp", "http://10.77.0.1:8067/boot/ipxe.efi"), ((string?)bmc.Boot["BootSourceOverrideTarget"], (string?)bmc.Boot["HttpBootUri"]));
        Assert.Equal(DeviceFault.Unsupported, (await Assert.ThrowsAsync<DeviceException>(() => port.SetBootAsync(new(BootDevice.Diagnostic, BootFirmware.Uefi, false), Patience))).Fault);
    }

    [Fact]
    public async Task The_light_the_log_the_uuid_and_the_nics_are_read()
    {
        await using var port = Open(bmc);
        await port.IdentifyAsync(null, Patience);
        Assert.Equal((true, IdentifyLight.On), (bmc.Light, await port.GetIdentifyAsync(Patience)));
        await port.IdentifyAsync(TimeSpan.Zero, Patience);
        Assert.False(bmc.Light);
        Assert.Equal([Guid.Parse("4c4c4544-0057-4610-8038-b2c04f385032")], await port.ReadSystemUuidAsync(Patience));
        Assert.Equal([TestStore.Mac(1)], await port.ReadMachineMacsAsync(Patience));
        Assert.Equal(("Example", "R1", "S1"), ((await port.ReadPartsAsync(Patience))[0].Maker, (await port.ReadPartsAsync(Patience))[0].Product, (await port.ReadPartsAsync(Patience))[0].Serial));
        var events = await port.ReadEventsAsync(Patience);
        // The second page names itself as the next: there is an end to that.
        Assert.InRange(events.Count, 2, 60);
        Assert.Equal("event 1", events[0].Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_image_is_put_into_the_drive_in_the_place_of_the_one_before(bool wantsProtocol)
    {
        bmc.WantsProtocol = wantsProtocol;
        bmc.Image = "http://10.77.0.1/old.iso";
        await using var port = Open(bmc);
        Assert.Equal([new MediaDrive("Virtual CD", ["CD"], "http://10.77.0.1/old.iso").Image], (await port.ListMediaAsync(Patience)).Select(d => d.Image));
        await port.InsertMediaAsync(new("http://10.77.0.1/new.iso"), Patience);
        Assert.Equal("http://10.77.0.1/new.iso", bmc.Image);
        await port.EjectMediaAsync(Patience);
        Assert.Null(bmc.Image);
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_devices_own_words()
    {
        bmc.Instead = async context =>
        {
            if (context.Request.Method != "PATCH") return false;
            await RedfishSimulator.FailAsync(context, 400, "The property Boot is locked by policy.");
            return true;
        };
        await using var port = Open(bmc);
        var told = await Assert.ThrowsAsync<DeviceException>(() => port.SetBootAsync(new(BootDevice.Network, BootFirmware.Uefi, false), Patience));
        Assert.Equal(DeviceFault.Refused, told.Fault);
        Assert.Contains("locked by policy", told.Message);
    }

    [Theory]
    [InlineData("not json at all")]
    [InlineData("[1,2,3]")]
    [InlineData("")]
    public async Task Nonsense_is_told_as_nonsense(string body)
    {
        bmc.Instead = async context =>
        {
            if (context.Request.Method != "GET") return false;
            await context.Response.WriteAsync(body);
            return true;
        };
        await using var port = Open(bmc);
        Assert.Equal(DeviceFault.Nonsense, (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Fault);
    }

    [Theory]
    [InlineData("https://elsewhere.example/redfish/v1/Systems/1")]
    [InlineData("//elsewhere.example/redfish/v1")]
    [InlineData("/redfish/v1/../../etc/passwd")]
    [InlineData("/other/page")]
    public async Task A_link_to_somewhere_else_is_not_followed(string link)
    {
        bmc.Instead = async context =>
        {
            if (context.Request.Path != "/redfish/v1/Systems") return false;
            await context.Response.WriteAsync(JsonSerializer.Serialize(new Dictionary<string, object> { ["Members"] = new[] { new Dictionary<string, string> { ["@odata.id"] = link } } }));
            return true;
        };
        await using var port = Open(bmc);
        await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
        Assert.DoesNotContain(bmc.Log, line => line.Contains("etc") || line.Contains("other"));
    }

    [Fact]
    public async Task A_redirection_does_not_carry_the_session_away()
    {
        bmc.Instead = context =>
        {
            if (context.Request.Path != "/redfish/v1/Systems") return Task.FromResult(false);
            context.Response.Redirect(bmc.Address.OriginalString.Replace("redfish+https", "https") + "/stolen");
            return Task.FromResult(true);
        };
        await using var port = Open(bmc);
        await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
        Assert.DoesNotContain(bmc.Log, line => line.Contains("stolen"));
    }

    [Fact]
    public async Task An_endless_answer_has_an_end()
    {
        bmc.Instead = async context =>
        {
            if (context.Request.Path != "/redfish/v1/Systems") return false;
            var piece = new byte[64 * 1024];
            try { while (true) await context.Response.Body.WriteAsync(piece, context.RequestAborted); }
            catch (Exception e) when (e is IOException or OperationCanceledException) { return true; }
        };
        await using var port = Open(bmc);
        Assert.Equal(DeviceFault.Nonsense, (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Fault);
    }

    [Fact]
    public async Task A_dead_service_is_left_alone_for_a_while()
    {
        await using var port = Open(bmc, clock: clock);
        await bmc.DisposeAsync();
        for (var i = 0; i < 3; i++) Assert.Equal(DeviceFault.Unreachable, (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Fault);
        Assert.Contains("left alone", (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Message);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain("left alone", (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Message);
    }

    [Fact]
    public async Task A_device_that_dawdles_does_not_hold_up_its_own_removal()
    {
        var asked = new TaskCompletionSource();
        bmc.Instead = async context =>
        {
            if (context.Request.Path != "/redfish/v1/Systems") return false;
            asked.TrySetResult();
            try { await Task.Delay(Timeout.Infinite, context.RequestAborted); }
            catch (OperationCanceledException) { /* It hung up. */ }
            return true;
        };
        var port = Open(bmc);
        var asking = port.GetPowerAsync(Patience);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await port.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => asking);
    }

    [Fact]
    public async Task One_of_several_machines_has_to_be_named()
    {
        bmc.Instead = async context =>
        {
            if (context.Request.Path != "/redfish/v1/Systems") return false;
            await context.Response.WriteAsync("""{"Members":[{"@odata.id":"/redfish/v1/Systems/1"},{"@odata.id":"/redfish/v1/Systems/HGX"}]}""");
            return true;
        };
        await using (var port = Open(bmc)) Assert.Contains("has 2 machines", (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Message);
        await using (var named = Open(bmc, path: "/redfish/v1/Systems/1")) Assert.Equal(PowerState.Off, await named.GetPowerAsync(Patience));
    }
}
