using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Boots;

/// <summary>One server of each kind, booted once from nothing, for all tests that look at what came of it.</summary>
public sealed class BootedLab : IAsyncLifetime
{
    LabInstance? instance;

    internal LabInstance Instance => instance ?? throw new InvalidOperationException("the lab was not built: this user or kernel cannot have one");
    internal IReadOnlyDictionary<LabServer, TimeSpan> Idle { get; private set; } = new Dictionary<LabServer, TimeSpan>();

    public async Task InitializeAsync()
    {
        // Where its tests are skipped there is nothing to boot for.
        if (new LabFactAttribute().Skip is not null) return;
        instance = await LabInstance.BuildAsync("e2eboot", ServerFirmware.Bios, ServerFirmware.UefiPxe, ServerFirmware.UefiHttp);
        try
        {
            await instance.Rig.Appliance.StartAsync(CancellationToken.None);
            await instance.Rig.Appliance.StartPortalAsync(CancellationToken.None);
            await instance.PowerOnAsync();
            Idle = await instance.UntilIdleAsync();
        }
        catch
        {
            // xunit does not dispose a fixture that failed to start.
            await instance.DisposeAsync();
            throw;
        }
    }

    public async Task DisposeAsync()
    {
        if (instance is not null) await instance.DisposeAsync();
    }
}

/// <summary>The classes of tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class BootedLabs : ICollectionFixture<BootedLab>
{
    public const string Name = "one server of each kind, booted once";
}
