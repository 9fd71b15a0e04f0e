using System.Net;

namespace GridAppliance.Api.Client;

/// <summary>The appliance could not be asked, or said no. <see cref="Exception.Message"/> is one sentence; <see cref="NextStep"/> says what to do.</summary>
public sealed class ApplianceException(ApplianceFault fault, string message, string? nextStep = null, Exception? inner = null) : Exception(message, inner)
{
    public ApplianceFault Fault { get; } = fault;

    public string? NextStep { get; } = nextStep;

    /// <summary>What the appliance answered; null when it was not reached.</summary>
    public HttpStatusCode? Status { get; init; }
}

public enum ApplianceFault
{
    /// <summary>Nothing answers at that address.</summary>
    Unreachable,
    /// <summary>The socket is there and this user may not use it, or the token is missing or wrong.</summary>
    PermissionDenied,
    /// <summary>It answered with a problem document.</summary>
    Refused,
    /// <summary>It answered with something that is not ours.</summary>
    NotUnderstood,
}
