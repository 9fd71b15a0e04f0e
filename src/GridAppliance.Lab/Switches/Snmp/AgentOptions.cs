using System.Text;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Lab.Switches.Snmp;

enum AgentAccess { None, Read, ReadWrite }

/// <summary>Who may ask an agent, and who it says it is.</summary>
sealed record AgentOptions
{
    public required byte[] EngineId { get; init; }
    /// <summary>How often it has started.</summary>
    public int Boots { get; init; } = 1;
    public IReadOnlyDictionary<string, AgentAccess> Communities { get; init; } = new Dictionary<string, AgentAccess>();
    public IReadOnlyList<AgentUser> Users { get; init; } = [];
}

/// <summary>A user of version 3.</summary>
sealed record AgentUser(string Name, AgentAccess Access, UsmAuthentication Authentication, string AuthenticationPassphrase, UsmPrivacy Privacy, string PrivacyPassphrase)
{
    public UsmUser At(byte[] engineId)
    {
        if (Authentication == UsmAuthentication.None) return new(Encoding.UTF8.GetBytes(Name), UsmAuthentication.None, default, UsmPrivacy.None, default);
        var secret = Privacy == UsmPrivacy.None ? [] : UsmKey.ForPrivacy(Authentication, Privacy, UsmKeyExtension.Blumenthal, Localized(PrivacyPassphrase, engineId), engineId);
        return new(Encoding.UTF8.GetBytes(Name), Authentication, Localized(AuthenticationPassphrase, engineId), Privacy, secret);
    }

    byte[] Localized(string passphrase, byte[] engineId) => UsmKey.Localize(Authentication, UsmKey.FromPassphrase(Authentication, Encoding.UTF8.GetBytes(passphrase)), engineId);
}
