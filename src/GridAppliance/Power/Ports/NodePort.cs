using GridAppliance.Api.Ports;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Ports;

/// <summary>A privileged port that the appliance knows, tied to a node or not yet. Immutable; changed only through <see cref="NodePorts"/>.</summary>
sealed record NodePort
{
    public required Guid Id { get; init; }
    /// <summary>Null while it is not known whose it is.</summary>
    public Guid? NodeId { get; init; }
    /// <summary>In the form that <see cref="PortScheme.TryRead"/> gives; two ports never have the same.</summary>
    public required Uri Address { get; init; }
    public string User { get; init; } = "";
    public SealedSecret? Password { get; init; }
    /// <summary>IPMI's K_g, or SNMP's privacy passphrase.</summary>
    public SealedSecret? DeviceKey { get; init; }
    /// <summary>What it said of itself; null before it could be asked.</summary>
    public PortIdentity? Identity { get; init; }
    /// <summary>SHA-256 of the certificate that it showed first, lower-case hex; another one is not believed.</summary>
    public string? Fingerprint { get; init; }
    /// <summary>Why the BMC does not take the account; null as long as it was not asked, or takes it. Kept, so that no restart tries a wrong password into a lock-out.</summary>
    public PortRefusal? Refusal { get; init; }
    /// <summary>Where it is, in an operator's words.</summary>
    public string? Location { get; init; }
    public required string SetBy { get; init; }
    public required DateTimeOffset SetAt { get; init; }

    public PortScheme Scheme => PortScheme.Of(Address);

    public PortDocument ToDocument(string? node, PortState state) => new()
    {
        Address = Address.OriginalString,
        Kind = Scheme.Kind.ToString().ToLowerInvariant(),
        Node = node,
        User = User.Length == 0 ? null : User,
        HasPassword = Password is not null,
        HasDeviceKey = DeviceKey is not null,
        Can = Scheme.Capabilities,
        State = state.Health.ToString().ToLowerInvariant(),
        StateSince = state.Health == PortHealth.Unknown ? null : state.Since,
        Problem = state.Problem,
        Certificate = Fingerprint,
        Location = Location,
        SetBy = SetBy,
        SetAt = SetAt,
    };
}

/// <param name="Reason">In the device's words, without its address.</param>
/// <param name="At">When it said so.</param>
sealed record PortRefusal(string Reason, DateTimeOffset At);

enum PortHealth
{
    /// <summary>Not used since the appliance was started.</summary>
    Unknown,
    Answers,
    /// <summary>Nobody is there, or it fell silent.</summary>
    Silent,
    /// <summary>The account or its password is not right; it is not tried again before they are changed.</summary>
    Refused,
    /// <summary>It answers and cannot do what is asked.</summary>
    Troubled,
}

/// <summary>How a port was when it was last used. Kept in memory: a restart learns it again, but for a refusal (<see cref="NodePort.Refusal"/>).</summary>
sealed record PortState(PortHealth Health, string? Problem, DateTimeOffset Since)
{
    public static PortState Unknown { get; } = new(PortHealth.Unknown, null, default);

    public static PortState Answers(DateTimeOffset now) => new(PortHealth.Answers, null, now);

    public static PortState Of(DeviceException fault, DateTimeOffset now) => new(fault.Fault switch
    {
        DeviceFault.Unreachable or DeviceFault.TimedOut => PortHealth.Silent,
        DeviceFault.CredentialsRefused => PortHealth.Refused,
        DeviceFault.Refused or DeviceFault.Busy or DeviceFault.Insecure or DeviceFault.Nonsense => PortHealth.Troubled,
        // A device that lacks a function is as well as it was.
        DeviceFault.Unsupported => PortHealth.Answers,
    }, fault.Fault == DeviceFault.Unsupported ? null : fault.Message, now);
}

/// <summary>How a port is to be. Printing it shows no secret.</summary>
sealed record PortSetting
{
    public required Uri Address { get; init; }
    public required string User { get; init; }
    /// <summary>Null: as it was for the same account; for another account none.</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }
    public ReadOnlyMemory<byte>? DeviceKey { get; init; }
    public string? Location { get; init; }
    /// <summary>The device has got another certificate, and that is wanted.</summary>
    public bool ForgetsCertificate { get; init; }

    public override string ToString() => $"{Address} as {User}";
}

/// <summary>What became of a wish to change a port.</summary>
abstract record PortChange
{
    public sealed record Done(NodePort Port) : PortChange;
    /// <summary>The same address cannot belong to two nodes: one would be switched off in the other's place.</summary>
    public sealed record BelongsTo(string Node) : PortChange;
    public sealed record NoSuchPort : PortChange;
}
