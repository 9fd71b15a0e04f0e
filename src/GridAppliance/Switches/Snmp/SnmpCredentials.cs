using System.Text;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>What a device asks of us before it answers. Printing one never shows a secret.</summary>
abstract class SnmpCredentials
{
    /// <summary>Version 2c: a word that everybody on the way can read. For management networks that nobody else is on.</summary>
    public sealed class Community(string name) : SnmpCredentials
    {
        public string Name { get; } = name;

        public override string ToString() => "community";
    }

    /// <summary>Version 3, signed and, if privacy is given, encrypted.</summary>
    public sealed class User : SnmpCredentials
    {
        readonly Lazy<byte[]> authenticationKey;
        readonly Lazy<byte[]> privacyKey;

        /// <exception cref="ArgumentException">An algorithm that no longer protects, or a passphrase shorter than eight octets.</exception>
        public User(string name, UsmAuthentication authentication, string authenticationPassphrase, UsmPrivacy privacy, string privacyPassphrase, UsmKeyExtension extension = UsmKeyExtension.Blumenthal)
        {
            if (authentication is UsmAuthentication.None or UsmAuthentication.Md5) throw new ArgumentException("messages are signed with SHA-1 or better", nameof(authentication));
            if (privacy == UsmPrivacy.Des) throw new ArgumentException("messages are not encrypted with DES", nameof(privacy));
            RefuseShort(authenticationPassphrase, nameof(authenticationPassphrase));
            if (privacy != UsmPrivacy.None) RefuseShort(privacyPassphrase, nameof(privacyPassphrase));
            (Name, Authentication, Privacy, Extension) = (name, authentication, privacy, extension);
            // A megabyte is digested for each: once for all the devices that share the user.
            authenticationKey = new(() => UsmKey.FromPassphrase(authentication, Encoding.UTF8.GetBytes(authenticationPassphrase)));
            privacyKey = new(() => UsmKey.FromPassphrase(authentication, Encoding.UTF8.GetBytes(privacyPassphrase)));
        }

        public string Name { get; }
        public UsmAuthentication Authentication { get; }
        public UsmPrivacy Privacy { get; }
        public UsmKeyExtension Extension { get; }

        /// <summary>The user with its keys for one engine; the caller disposes it.</summary>
        public UsmUser At(ReadOnlySpan<byte> engineId)
        {
            var privacy = Privacy == UsmPrivacy.None
                ? []
                : UsmKey.ForPrivacy(Authentication, Privacy, Extension, UsmKey.Localize(Authentication, privacyKey.Value, engineId), engineId);
            return new(Encoding.UTF8.GetBytes(Name), Authentication, UsmKey.Localize(Authentication, authenticationKey.Value, engineId), Privacy, privacy);
        }

        public override string ToString() => $"user {Name} ({Authentication}, {Privacy})";

        static void RefuseShort(string passphrase, string parameter)
        {
            if (Encoding.UTF8.GetByteCount(passphrase) < UsmKey.MinimumPassphrase) throw new ArgumentException($"a passphrase has at least {UsmKey.MinimumPassphrase} octets", parameter);
        }
    }
}

/// <summary>Which of an agent's views a request is about.</summary>
/// <param name="CommunitySuffix">What is appended to the community.</param>
/// <param name="Name">The context's name in version 3.</param>
readonly record struct SnmpContext(string CommunitySuffix, string Name)
{
    public static SnmpContext Default { get; } = new("", "");

    /// <summary>Cisco switches have a BRIDGE-MIB for each VLAN: <c>public@500</c>, or context <c>vlan-500</c>.</summary>
    public static SnmpContext CiscoVlan(VlanId vlan) => new($"@{vlan}", $"vlan-{vlan}");
}
