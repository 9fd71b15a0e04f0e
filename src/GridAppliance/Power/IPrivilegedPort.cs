namespace GridAppliance.Power;

/// <summary>
/// Whatever can act on a node without its operating system. What one can do is told by the capabilities that it implements
/// (<see cref="IPowerControl"/>, <see cref="IBootOverride"/> …): callers ask with <c>is</c>. Every method fails with a
/// <see cref="Hosting.DeviceException"/> when the device or the way to it does.
/// </summary>
interface IPrivilegedPort : IAsyncDisposable
{
    /// <summary>Scheme and place, without credentials.</summary>
    Uri Address { get; }
}

/// <summary>Where a port is and how to sign in there.</summary>
/// <param name="Uri">Scheme and place.</param>
/// <param name="Credentials">Who signs in.</param>
/// <param name="Fingerprint">SHA-256 of the certificate that it must show, for devices that have one; null: whichever it shows first.</param>
/// <param name="ResolvedTo">What its name means now, for drivers that speak to an address; null where it has none, or nobody asked.</param>
sealed record PortAddress(Uri Uri, PortCredentials Credentials, string? Fingerprint = null, System.Net.IPAddress? ResolvedTo = null);

/// <summary>An account on a device. Printing one never shows a secret.</summary>
sealed record PortCredentials
{
    public string User { get; init; } = "";
    public ReadOnlyMemory<byte> Password { get; init; }
    /// <summary>The BMC's own key (IPMI K_g), where one is set.</summary>
    public ReadOnlyMemory<byte> DeviceKey { get; init; }

    public override string ToString() => $"account {User}";
}
