using System.Globalization;

namespace GridAppliance.Web.Security;

/// <summary>Names of local users and groups, from /etc/passwd and /etc/group: names from elsewhere (LDAP) are shown as numbers.</summary>
static class UnixAccounts
{
    public static string NameOf(uint uid) => NameIn(Lines("/etc/passwd"), uid) ?? $"uid {uid}";

    public static uint? GroupId(string name) => IdIn(Lines("/etc/group"), name);

    internal static string? NameIn(IEnumerable<string> passwd, uint uid) => Fields(passwd).FirstOrDefault(entry => entry.Id == uid).Name;

    internal static uint? IdIn(IEnumerable<string> group, string name) => Fields(group).Where(entry => entry.Name == name).Select(entry => (uint?)entry.Id).FirstOrDefault();

    // name:password:id:…
    static IEnumerable<(string Name, uint Id)> Fields(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var fields = line.Split(':');
            if (fields.Length >= 3 && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var id)) yield return (fields[0], id);
        }
    }

    static IEnumerable<string> Lines(string path)
    {
        try { return File.ReadAllLines(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }
}
