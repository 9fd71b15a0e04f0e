using System.Text.Json;
using System.Text.Json.Nodes;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Redfish;

/// <summary>A BMC that speaks Redfish, in the words of the power family: <c>redfish+https://10.0.0.5</c>. How it is talked to is <see cref="RedfishSession"/>'s business.</summary>
sealed partial class RedfishBmc(Uri address, RedfishSession session) : IPrivilegedPort, IPowerControl, IBootOverride, IHttpBoot, IIdentifyLight, ISensorSource, IEventLog, IEventSource, IInventorySource, IMachineNics, IVirtualMedia, ICertifiedPort
{
    /// <summary>The machine's own resource, once it is known which of them it is.</summary>
    RedfishPath? machine;
    /// <summary>When the light goes out.</summary>
    ITimer? lightEnds;
    Task lightEnding = Task.CompletedTask;

    public Uri Address { get; } = address;

    public string? Fingerprint => session.Fingerprint;

    /// <summary>The service root, in which a service says what it is.</summary>
    public async Task<JsonElement> ReadRootAsync(CancellationToken cancellationToken) => (await session.GetAsync(RedfishPath.Root, cancellationToken)).Json;

    public async Task<PowerState> GetPowerAsync(CancellationToken cancellationToken) => StateOf(await MachineAsync(cancellationToken));

    public async Task SetPowerAsync(PowerAction action, CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        var state = StateOf(system);
        if (action is PowerAction.Cycle or PowerAction.Reset && state == PowerState.Off) action = PowerAction.On;
        // Many services call it an error to be asked for what is already so.
        if (action == PowerAction.On && state == PowerState.On || action is PowerAction.Off or PowerAction.SoftOff && state == PowerState.Off) return;
        var reset = system.Object("Actions") is { } actions ? RedfishResource.ObjectOf(actions, "#ComputerSystem.Reset") : null;
        if (reset is not { } known || !RedfishPath.TryRead(RedfishResource.TextOf(known, "target"), out var target)) throw Unsupported("says of no way to switch its machine");
        var allowed = await AllowedAsync(known, cancellationToken);
        var type = ResetTypes(action).FirstOrDefault(candidate => allowed is null || allowed.Contains(candidate))
            ?? throw Unsupported($"has no {action} for its machine, only {string.Join(", ", allowed ?? [])}");
        await session.PostAsync(target, new() { ["ResetType"] = type }, cancellationToken);
    }

    public async Task SetBootAsync(BootOverride boot, CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        var target = boot.Device == BootDevice.None ? "None" : TargetOf(system, boot.Device);
        await SetBootAsync(system, target, boot, null, cancellationToken);
    }

    public async Task<BootOverride?> GetBootAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        if (system.Object("Boot") is not { } boot || RedfishResource.TextOf(boot, "BootSourceOverrideEnabled") is not { } enabled || enabled is not ("Once" or "Continuous")) return null;
        BootDevice? device = RedfishResource.TextOf(boot, "BootSourceOverrideTarget") switch
        {
            "Pxe" or "UefiHttp" => BootDevice.Network,
            "Hdd" => BootDevice.Disk,
            "Cd" or "UsbCd" => BootDevice.Cd,
            "BiosSetup" => BootDevice.Setup,
            "Diags" or "Utilities" => BootDevice.Diagnostic,
            "Usb" or "Floppy" or "SDCard" => BootDevice.Removable,
            _ => null,
        };
        return device is { } known ? new(known, RedfishResource.TextOf(boot, "BootSourceOverrideMode") == "Legacy" ? BootFirmware.Bios : BootFirmware.Uefi, enabled == "Continuous") : null;
    }

    public async Task SetHttpBootAsync(Uri? image, CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        if (Allows(system, "UefiHttp") == false) throw Unsupported("has no UEFI HTTP boot");
        await SetBootAsync(system, "UefiHttp", new(BootDevice.Network, BootFirmware.Uefi, IsPersistent: false), image, cancellationToken);
    }

    public async Task<IdentifyLight> GetIdentifyAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        if (RedfishResource.FlagOf(system.Json, "LocationIndicatorActive") is { } active) return active ? IdentifyLight.On : IdentifyLight.Off;
        return system.Text("IndicatorLED") switch { "Lit" => IdentifyLight.On, "Blinking" => IdentifyLight.Blinking, "Off" => IdentifyLight.Off, _ => IdentifyLight.Unknown };
    }

    public async Task IdentifyAsync(TimeSpan? duration, CancellationToken cancellationToken)
    {
        lightEnds?.Dispose();
        lightEnds = null;
        await SetLightAsync(duration is null || duration > TimeSpan.Zero, cancellationToken);
        // Redfish has no timer for it, so this is one: a restart of the appliance leaves the light on.
        if (duration is { } limit && limit > TimeSpan.Zero) lightEnds = session.Clock.CreateTimer(static state => ((RedfishBmc)state!).lightEnding = ((RedfishBmc)state).EndLightAsync(), this, limit, Timeout.InfiniteTimeSpan);
    }

    async Task EndLightAsync()
    {
        try
        {
            await SetLightAsync(on: false, CancellationToken.None);
        }
        catch (Exception e) when (e is DeviceException or ObjectDisposedException)
        {
            // It shines on, and whoever stands before it sees that.
        }
    }

    async Task SetLightAsync(bool on, CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        // The newer field where there is one: some services accept the older one and do nothing.
        if (RedfishResource.FlagOf(system.Json, "LocationIndicatorActive") is not null) await session.PatchAsync(system, new() { ["LocationIndicatorActive"] = on }, cancellationToken);
        else if (system.Text("IndicatorLED") is not null) await session.PatchAsync(system, new() { ["IndicatorLED"] = on ? "Blinking" : "Off" }, cancellationToken);
        else throw Unsupported("has no light");
    }

    public async ValueTask DisposeAsync()
    {
        lightEnds?.Dispose();
        await session.DisposeAsync();
        await lightEnding;
    }

    /// <summary>The machine as it is now. A BMC of several (a chassis, say) has to be told by the port's address which one is meant.</summary>
    async Task<RedfishResource> MachineAsync(CancellationToken cancellationToken)
    {
        machine ??= RedfishPath.TryRead(Address.AbsolutePath, out var named) && Address.AbsolutePath.Trim('/').Length > 0 ? named : await FindMachineAsync(cancellationToken);
        return await session.GetAsync(machine.Value, cancellationToken);
    }

    async Task<RedfishPath> FindMachineAsync(CancellationToken cancellationToken)
    {
        var root = await session.GetAsync(RedfishPath.Root, cancellationToken);
        var systems = await session.GetAsync(root.Link("Systems") ?? throw Unsupported("speaks of no machines"), cancellationToken);
        return systems.Members.ToList() switch
        {
            [var only] => only,
            [] => throw Unsupported("speaks of no machines"),
            // Add-in cards (GPU trays, SmartNICs) show up as systems of their own; the first that can be reset in an address of its own is not ours to guess.
            var several => throw Unsupported($"has {several.Count} machines: name one in the address, such as {Address.Scheme}://{Address.Authority}{several[0]}"),
        };
    }

    async Task SetBootAsync(RedfishResource system, string target, BootOverride boot, Uri? image, CancellationToken cancellationToken)
    {
        var settings = new JsonObject
        {
            ["BootSourceOverrideEnabled"] = boot.Device == BootDevice.None ? "Disabled" : boot.IsPersistent ? "Continuous" : "Once",
            ["BootSourceOverrideTarget"] = target,
        };
        if (image is not null) settings["HttpBootUri"] = image.AbsoluteUri;
        var mode = boot.Firmware == BootFirmware.Uefi ? "UEFI" : "Legacy";
        var before = system.Object("Boot") is { } current ? RedfishResource.TextOf(current, "BootSourceOverrideMode") : null;
        // Only where it differs: services exist that take the device and refuse the mode beside it.
        if (before is not null && before != mode) settings["BootSourceOverrideMode"] = mode;
        try
        {
            await session.PatchAsync(system, new() { ["Boot"] = settings }, cancellationToken);
        }
        catch (DeviceException e) when (e.Fault == DeviceFault.Unsupported && SettingsOf(system) is not null)
        {
            var pending = await session.GetAsync(SettingsOf(system)!.Value, cancellationToken);
            await session.PatchAsync(pending, new() { ["Boot"] = settings.DeepClone() }, cancellationToken);
        }
    }

    string TargetOf(RedfishResource system, BootDevice device) => Targets(device).FirstOrDefault(target => Allows(system, target) != false) ?? throw Unsupported($"cannot boot from {device}");

    static bool? Allows(RedfishResource system, string target) =>
        system.Object("Boot") is { } boot && RedfishResource.TextsOf(boot, "BootSourceOverrideTarget@Redfish.AllowableValues") is { } allowed ? allowed.Contains(target) : null;

    static RedfishPath? SettingsOf(RedfishResource system) => system.Object("@Redfish.Settings") is { } settings ? RedfishResource.LinkOf(settings, "SettingsObject") : null;

    async Task<IReadOnlyList<string>?> AllowedAsync(JsonElement action, CancellationToken cancellationToken)
    {
        if (RedfishResource.TextsOf(action, "ResetType@Redfish.AllowableValues") is { } inline) return inline;
        if (!RedfishPath.TryRead(RedfishResource.TextOf(action, "@Redfish.ActionInfo"), out var path) || await session.TryGetAsync(path, cancellationToken) is not { } described) return null;
        foreach (var parameter in described.Items("Parameters"))
        {
            if (RedfishResource.TextOf(parameter, "Name") == "ResetType") return RedfishResource.TextsOf(parameter, "AllowableValues");
        }
        return null;
    }

    static IReadOnlyList<string> ResetTypes(PowerAction action) => action switch
    {
        PowerAction.On => ["On", "ForceOn", "PushPowerButton"],
        PowerAction.Off => ["ForceOff"],
        PowerAction.SoftOff => ["GracefulShutdown", "PushPowerButton"],
        PowerAction.Cycle => ["PowerCycle", "ForceRestart"],
        PowerAction.Reset => ["ForceRestart", "PowerCycle"],
        PowerAction.Interrupt => ["Nmi"],
    };

    static IReadOnlyList<string> Targets(BootDevice device) => device switch
    {
        BootDevice.None => ["None"],
        BootDevice.Network => ["Pxe"],
        BootDevice.Disk => ["Hdd"],
        BootDevice.Cd => ["Cd", "UsbCd"],
        BootDevice.Setup => ["BiosSetup"],
        BootDevice.Diagnostic => ["Diags", "Utilities"],
        BootDevice.Removable => ["Usb", "Floppy"],
    };

    static PowerState StateOf(RedfishResource system) => system.Text("PowerState") switch
    {
        "On" or "PoweringOn" or "Paused" => PowerState.On,
        "Off" or "PoweringOff" => PowerState.Off,
        _ => PowerState.Unknown,
    };

    DeviceException Unsupported(string message) => session.Fault(DeviceFault.Unsupported, message);
}
