using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Ipmi;

/// <summary>
/// Looks at how a BMC lets people in, from outside any session. Suite 0 is proposed and nothing more: the answer tells whether a session without a
/// password could be had, and none is opened.
/// </summary>
sealed class AuditErrand : Errand<IReadOnlyList<SecurityFinding>>
{
    protected override async Task<IReadOnlyList<SecurityFinding>> DoAsync(BmcOwner owner)
    {
        List<SecurityFinding> findings = [];
        if (await owner.AskForCapabilitiesAsync() is { } capabilities)
        {
            if (capabilities.AllowsAnonymousLogin) findings.Add(new(SecurityWeakness.AnonymousLogin, "an account with neither name nor password is enabled"));
            if (capabilities.HasNullNameUsers) findings.Add(new(SecurityWeakness.NamelessAccounts, "accounts without a name are enabled"));
            if (capabilities.SupportsIpmi15 && (capabilities.Types & AuthenticationTypes.None) != 0)
            {
                findings.Add(new(SecurityWeakness.UnsignedSessions, "IPMI 1.5 sessions need no signature (authentication type none)"));
            }
        }
        if (await owner.WouldOpenAsync(CipherSuite.Zero)) findings.Add(new(SecurityWeakness.NoAuthentication, "cipher suite 0 is accepted: a session opens without the password"));
        if (owner.Suite is { Confidentiality: ConfidentialityAlgorithm.None } suite) findings.Add(new(SecurityWeakness.NoEncryption, $"the best that is offered is {suite}, which does not encrypt"));
        return findings;
    }
}
