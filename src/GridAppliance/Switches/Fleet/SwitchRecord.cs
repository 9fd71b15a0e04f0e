using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Fleet;

/// <summary>Who is right when a switch is not as it was left.</summary>
enum DriftPolicy
{
    /// <summary>Nobody by itself: it is shown, and a person says.</summary>
    Report,
    /// <summary>We are: the switch is made as it was left.</summary>
    Assert,
    /// <summary>The switch is: what it has becomes what is wanted.</summary>
    Adopt,
}

/// <summary>A switch as it was enrolled. Without its secrets: those are sealed apart.</summary>
sealed record SwitchRecord
{
    public required string Name { get; init; }
    public required Uri Address { get; init; }
    public required SwitchAccount Account { get; init; }
    public required SwitchTerritory Ours { get; init; }
    public DriftPolicy Drift { get; init; }
    /// <summary>What a probe found; null before the first.</summary>
    public SwitchAbilities? Abilities { get; init; }
    /// <summary>Names of ports that were found to lead to other switches or to ourselves, with how that is known. Never written.</summary>
    public ImmutableDictionary<string, RecognisedUplink> RecognisedUplinks { get; init; } = ImmutableDictionary<string, RecognisedUplink>.Empty;
    /// <summary>Names of VLANs that are ours, as they were when the switch last bore our mark: a switch that has lost its configuration has lost them.</summary>
    public ImmutableSortedDictionary<int, string> VlanNames { get; init; } = ImmutableSortedDictionary<int, string>.Empty;
    /// <summary>It stands in the configuration file, and is changed and removed there only.</summary>
    public bool IsFromFile { get; init; }
}

/// <param name="Why">How it is known.</param>
/// <param name="Seen">When it last was so: addresses age, cables stay.</param>
sealed record RecognisedUplink(string Why, DateTimeOffset Seen);

/// <summary>How we log in.</summary>
/// <param name="User">Of version 3; null: version 2c, and the secret is the community.</param>
/// <param name="Authentication">How messages are signed.</param>
/// <param name="Privacy">How they are encrypted.</param>
sealed record SwitchAccount(string? User, UsmAuthentication Authentication, UsmPrivacy Privacy)
{
    /// <param name="secrets">The community; or the authentication passphrase and, in a line of its own, the privacy passphrase where it is another.</param>
    /// <exception cref="ArgumentException">A passphrase is too short, or an algorithm no longer protects.</exception>
    public SnmpCredentials With(string secrets)
    {
        var lines = secrets.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length == 0) throw new ArgumentException("there is no secret", nameof(secrets));
        return User is null ? new SnmpCredentials.Community(lines[0]) : new SnmpCredentials.User(User, Authentication, lines[0], Privacy, lines.Length > 1 ? lines[1] : lines[0]);
    }

    public override string ToString() => User is null ? "community (version 2c)" : $"user {User} ({Authentication.ToString().ToLowerInvariant()}, {Privacy.ToString().ToLowerInvariant()})";
}

/// <summary>What of a switch is ours, as people write it. Nothing, until it is written.</summary>
sealed record SwitchTerritory
{
    /// <summary>Names, names that end in *, numbers and ranges of numbers.</summary>
    public ImmutableArray<string> Ports { get; init; } = [];
    /// <summary>Numbers and ranges.</summary>
    public ImmutableArray<string> Vlans { get; init; } = [];
    /// <summary>As ports; never written, whatever else says so.</summary>
    public ImmutableArray<string> Uplinks { get; init; } = [];

    /// <summary>What it comes to on the switch as it is now.</summary>
    /// <param name="snapshot">The switch.</param>
    /// <param name="recognised">Names of ports that were found to be uplinks.</param>
    public SwitchPolicy On(SwitchSnapshot snapshot, IEnumerable<string> recognised)
    {
        var found = recognised.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new()
        {
            Ports = Select(Ports, snapshot),
            Vlans = [.. Vlans.SelectMany(v => VlanText.Range(v) ?? [])],
            Uplinks = Select(Uplinks, snapshot).Union(snapshot.Ports.Values.Where(p => found.Contains(p.Name)).Select(p => p.Number)),
        };
    }

    static ImmutableSortedSet<int> Select(ImmutableArray<string> patterns, SwitchSnapshot snapshot) => [.. patterns.SelectMany(p => Select(p, snapshot))];

    static IEnumerable<int> Select(string pattern, SwitchSnapshot snapshot)
    {
        if (snapshot.Port(pattern) is { } named) return [named.Number];
        if (pattern.EndsWith('*')) return snapshot.Ports.Values.Where(p => p.Name.StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase)).Select(p => p.Number);
        return NumberRange.Read(pattern, 1, int.MaxValue) is var (first, last) ? snapshot.Ports.Keys.Where(n => n >= first && n <= last) : [];
    }
}

/// <summary>VLANs as people write them.</summary>
static class VlanText
{
    /// <summary>The VLANs of <c>100</c> or <c>100-199</c>; null when it is neither.</summary>
    public static IEnumerable<VlanId>? Range(string text) =>
        NumberRange.Read(text, 1, VlanId.Largest) is var (first, last) ? Enumerable.Range(first, last - first + 1).Select(v => new VlanId(v)) : null;
}

static class NumberRange
{
    /// <summary><c>7</c> or <c>7-12</c>; null when it is neither, or outside the bounds.</summary>
    public static (int First, int Last)? Read(string text, int least, int most)
    {
        var dash = text.IndexOf('-');
        if (!int.TryParse(dash < 0 ? text : text.AsSpan(0, dash), System.Globalization.NumberStyles.None, null, out var first)) return null;
        var last = first;
        if (dash >= 0 && !int.TryParse(text.AsSpan(dash + 1), System.Globalization.NumberStyles.None, null, out last)) return null;
        return first >= least && last >= first && last <= most ? (first, last) : null;
    }
}
