using System.Net;

namespace GridAppliance.Lab.Servers.Redfish;

/// <summary>What a simulated Redfish BMC is, and whose.</summary>
sealed record RedfishSimulatorOptions
{
    /// <summary>Port 0: any that is free.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);
    public string User { get; init; } = RedfishSimulator.User;
    public string Password { get; init; } = RedfishSimulator.Password;
    public Guid Uuid { get; init; } = Guid.Parse("4c4c4544-0057-4610-8038-b2c04f385032");
    public string Mac { get; init; } = "52:54:00:00:00:01";
    public string Maker { get; init; } = "Example";
    public string Model { get; init; } = "R1";
    public string Serial { get; init; } = "S1";
    /// <summary>What it is set to is kept there; null: nowhere.</summary>
    public string? StateFile { get; init; }
    /// <summary>The machine that it acts on; null: one that is a word in memory.</summary>
    public IRedfishChassis? Chassis { get; init; }
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>The machine behind a simulated Redfish BMC.</summary>
interface IRedfishChassis
{
    Task<bool> IsOnAsync(CancellationToken cancellation);

    /// <param name="type">Redfish's ResetType.</param>
    /// <param name="bootTarget">Redfish's BootSourceOverrideTarget, for a start that this causes.</param>
    /// <param name="cancellation">Stops waiting.</param>
    Task ResetAsync(string type, string bootTarget, CancellationToken cancellation);
}
