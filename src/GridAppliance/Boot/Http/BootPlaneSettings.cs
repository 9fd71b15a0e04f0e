namespace GridAppliance.Boot.Http;

/// <summary>Bounds of the boot plane. Not configuration; tests know them.</summary>
sealed record BootPlaneSettings
{
    public int Port { get; init; } = BootPlaneUrl.DefaultPort;

    /// <summary>An inventory is some tens of KiB.</summary>
    public long MaxRequestBody { get; init; } = 1 << 20;

    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A machine has one connection for its loader, then a few for its agent.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 16;

    /// <summary>Ten thousand agents that wait for orders, as many heartbeats at the worst moment, and machines that boot.</summary>
    public int MaxConnections { get; init; } = 24_576;
}
