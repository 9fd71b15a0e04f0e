namespace GridAppliance.Power;

/// <summary>Something about a device that lets in who should not be.</summary>
sealed record SecurityFinding(SecurityWeakness Weakness, string Text);

enum SecurityWeakness
{
    /// <summary>A session without any password check (IPMI cipher suite 0).</summary>
    NoAuthentication,
    /// <summary>An account with neither name nor password.</summary>
    AnonymousLogin,
    /// <summary>Accounts without a name.</summary>
    NamelessAccounts,
    /// <summary>The older protocol lets a session open unsigned.</summary>
    UnsignedSessions,
    /// <summary>Nothing better than unencrypted sessions is offered.</summary>
    NoEncryption,
}

interface ISecurityAudit
{
    Task<IReadOnlyList<SecurityFinding>> AuditAsync(CancellationToken cancellationToken);
}
