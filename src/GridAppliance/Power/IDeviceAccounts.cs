namespace GridAppliance.Power;

enum AccountRole { None, Callback, User, Operator, Administrator, Oem }

/// <summary>An account slot of the device.</summary>
sealed record DeviceAccount
{
    public required int Id { get; init; }
    public required string Name { get; init; }
    public required AccountRole Role { get; init; }
    /// <summary>Null where the device does not say.</summary>
    public bool? IsEnabled { get; init; }
    /// <summary>Whether it may sign in over the network.</summary>
    public required bool MaySignIn { get; init; }
}

interface IDeviceAccounts
{
    Task<IReadOnlyList<DeviceAccount>> ListAccountsAsync(CancellationToken cancellationToken);

    /// <summary>Makes the account so: name, password, role, enabled, consoles allowed.</summary>
    /// <param name="id">The slot.</param>
    /// <param name="name">Up to sixteen octets.</param>
    /// <param name="password">Up to twenty octets; some devices take sixteen only. Null: the one that it has.</param>
    /// <param name="role">What it may do.</param>
    /// <param name="cancellationToken">Stops waiting; what was written stays.</param>
    Task SetAccountAsync(int id, string name, ReadOnlyMemory<byte>? password, AccountRole role, CancellationToken cancellationToken);

    Task DisableAccountAsync(int id, CancellationToken cancellationToken);
}
