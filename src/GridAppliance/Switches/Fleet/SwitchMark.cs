using System.Text.RegularExpressions;

namespace GridAppliance.Switches.Fleet;

/// <summary>
/// Who owns a switch, written on the switch itself: in the line that says whom to ask about it (sysContact, RFC 3418), behind whatever somebody has written there. An appliance
/// that finds another's mark writes nothing.
/// </summary>
/// <param name="Id">The first sixteen digits of the fingerprint of the appliance's key.</param>
/// <param name="Name">What the appliance is called: for people.</param>
sealed partial record SwitchMark(string Id, string Name)
{
    /// <summary>Length of an Id.</summary>
    public const int IdLength = 16;

    /// <summary>DisplayString (RFC 2579).</summary>
    const int LongestContact = 255;

    public static SwitchMark? Read(string contact) => Pattern().Match(contact) is { Success: true } match ? new(match.Groups["id"].Value, match.Groups["name"].Value) : null;

    /// <summary>The contact with this mark in it, in place of any other; what people wrote stays as far as there is room.</summary>
    public string In(string contact)
    {
        var mark = ToString();
        var rest = Without(contact);
        if (rest.Length + 1 + mark.Length > LongestContact) rest = rest[..(LongestContact - mark.Length - 1)];
        return rest.Length == 0 ? mark : $"{rest} {mark}";
    }

    public static string Without(string contact) => Pattern().Replace(contact, "").Trim();

    public override string ToString() => $"[gridappliance {Name} {Id}]";

    [GeneratedRegex(@"\[gridappliance (?<name>[A-Za-z0-9-]{1,63}) (?<id>[0-9a-f]{16})\]", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
