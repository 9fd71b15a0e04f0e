using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Hosting.Configuration;

/// <summary>One entry of <c>switches</c>. The secret is in a file of its own, never in the configuration.</summary>
static class SwitchSection
{
    const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    const int LongestSecret = 1024;

    public static SwitchOptions? Read(YamlSection section)
    {
        var name = section.Text("name", required: true) ?? "";
        if (name.Length > 0 && !ConfigurationFile.IsLabel(name)) section.Problem("name", $"'{name}' is not a name of letters, digits and hyphens");
        var address = Address(section);
        var user = section.Text("user");
        var authentication = section.Choice("authentication", UsmAuthentication.Sha256);
        var privacy = section.Choice("privacy", UsmPrivacy.Aes128);
        if (authentication is UsmAuthentication.None or UsmAuthentication.Md5) section.Problem("authentication", "messages are signed with sha1, sha224, sha256, sha384 or sha512");
        if (privacy == UsmPrivacy.Des) section.Problem("privacy", "messages are encrypted with aes128, aes192 or aes256");
        var record = new SwitchRecord
        {
            Name = name,
            Address = address ?? new Uri("about:blank"),
            Account = new(user, authentication, privacy),
            Ours = new() { Ports = List(section, "ports", null), Vlans = List(section, "vlans", VlanProblem), Uplinks = List(section, "uplinks", null) },
            Drift = section.Choice("drift", DriftPolicy.Report),
            IsFromFile = true,
        };
        var secrets = Secrets(section, record.Account);
        section.RejectUnknown();
        return secrets is null ? null : new(record, secrets);
    }

    static Uri? Address(YamlSection section)
    {
        if (section.Text("address", required: true) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && SwitchFamily.Schemes.Contains(address.Scheme) && address.UserInfo.Length == 0) return address;
        section.Problem("address", $"'{text}' is not a switch's address; write it like snmp+qbridge://10.0.0.2 (there are {string.Join(", ", SwitchFamily.Schemes.Order())})");
        return null;
    }

    static ImmutableArray<string> List(YamlSection section, string key, Func<string, string?>? problemOf)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        foreach (var (text, complain) in section.Texts(key))
        {
            if (problemOf?.Invoke(text) is { } problem) complain(problem);
            else found.Add(text);
        }
        return found.DrainToImmutable();
    }

    static string? VlanProblem(string text) => VlanText.Range(text) is null ? $"'{text}' is not a VLAN (1-4094) or a range of them" : null;

    static string? Secrets(YamlSection section, SwitchAccount account)
    {
        if (section.Text("secretFile", required: true) is not { } path) return null;
        try
        {
            if (!Path.IsPathFullyQualified(path)) section.Problem("secretFile", $"'{path}' must be an absolute path");
            else if ((File.GetUnixFileMode(path) & Others) != 0) section.Problem("secretFile", $"others than its owner may read {path}; set its mode to 0600");
            else if (new FileInfo(path).Length > LongestSecret) section.Problem("secretFile", $"{path} is over {LongestSecret} octets: that is no secret");
            else
            {
                var secrets = File.ReadAllText(path);
                account.With(secrets);
                return secrets;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            section.Problem("secretFile", $"cannot be read: {e.Message}");
        }
        catch (ArgumentException e)
        {
            section.Problem("secretFile", $"{path}: {e.Message}");
        }
        return null;
    }
}
