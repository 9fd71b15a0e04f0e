using System.Text;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Power.Pdu;

/// <summary>
/// A port's account as SNMP has it: with a user's name it is version 3, signed with the password and encrypted with the device key, or the password again where
/// there is none; without a name the password is the community of version 2c.
/// </summary>
static class PduCredentials
{
    public static SnmpCredentials From(PortCredentials credentials)
    {
        var password = Encoding.UTF8.GetString(credentials.Password.Span);
        if (credentials.User.Length == 0) return new SnmpCredentials.Community(password);
        var privacy = credentials.DeviceKey.IsEmpty ? password : Encoding.UTF8.GetString(credentials.DeviceKey.Span);
        // SHA-1 with AES-128 is the best that all PDUs of both makes have; the passphrase is what protects.
        return new SnmpCredentials.User(credentials.User, UsmAuthentication.Sha1, password, UsmPrivacy.Aes128, privacy);
    }
}
