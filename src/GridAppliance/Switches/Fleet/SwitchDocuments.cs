using GridAppliance.Api.Switches;
using GridAppliance.Fabric;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Fleet;

/// <summary>Switches as the management plane shows them, and requests as we understand them. Pure.</summary>
static class SwitchDocuments
{
    /// <summary>Addresses of strangers that are shown of a port.</summary>
    const int MostOthers = 4;

    public static SwitchDocument Of(ManagedSwitch one) => new()
    {
        Name = one.Name,
        Address = one.Record.Address.ToString(),
        Account = one.Record.Account.ToString(),
        State = StateOf(one),
        Problem = one.Trouble?.Message,
        SystemName = one.Reading?.Identity.Name,
        Description = one.Reading?.Identity.Description,
        UptimeSeconds = one.Reading?.Identity.UpTime.TotalSeconds,
        LastRead = one.Reading?.At,
        ReadMs = one.Reading?.Took.TotalMilliseconds,
        Ownership = (one.Ownership?.State ?? Ownership.Unmarkable).ToString().ToLowerInvariant(),
        Owner = one.Ownership?.Owner?.Name,
        Abilities = one.Record.Abilities?.Words ?? [],
        CanWrite = one.Record.Abilities?.CanWrite,
        Unsaved = one.HasUnsaved,
        Ports = one.Reading?.Snapshot.Ports.Count ?? 0,
        Vlans = [.. one.Reading?.Snapshot.Vlans.Values.Select(v => new SwitchVlanDocument { Vlan = v.Id.Value, Name = v.Name }) ?? []],
        Ours = new() { Ports = one.Record.Ours.Ports, Vlans = one.Record.Ours.Vlans, Uplinks = one.Record.Ours.Uplinks },
        RecognisedUplinks = one.Record.RecognisedUplinks.ToDictionary(u => u.Key, u => u.Value.Why),
        Drift = one.Record.Drift.ToString().ToLowerInvariant(),
        FromFile = one.Record.IsFromFile,
    };

    public static string StateOf(ManagedSwitch one) => one.Trouble is not null ? "trouble" : one.Reading is null ? "unread" : "ok";

    public static IEnumerable<SwitchPortDocument> Ports(ManagedSwitch one, FabricMap map, NodeSnapshot nodes)
    {
        if (one.Reading is not { } reading) yield break;
        var policy = one.PolicyOn(reading.Snapshot);
        var behind = reading.Forwarding.ToLookup(e => e.Port, e => e.Mac);
        var here = map.Placements.Values.Where(p => p.Switch == one.Name).ToLookup(p => p.Port, p => p.Node);
        var neighbours = reading.Neighbours.Where(n => n.Port is not null).ToLookup(n => n.Port!.Value);
        foreach (var port in reading.Snapshot.Ports.Values)
        {
            var addresses = behind[port.Number].Distinct().ToList();
            yield return new()
            {
                Switch = one.Name,
                Name = port.Name,
                Number = port.Number,
                Description = port.Description,
                Enabled = port.IsEnabled,
                Link = port.HasLink,
                Mode = port.Vlans.Mode.ToString().ToLowerInvariant(),
                Pvid = port.Vlans.Pvid?.Value,
                Untagged = [.. port.Vlans.Untagged.Select(v => v.Value)],
                Tagged = [.. port.Vlans.Tagged.Select(v => v.Value)],
                Ours = policy.MayWrite(port.Number),
                Uplink = one.Record.RecognisedUplinks.GetValueOrDefault(port.Name)?.Why ?? (policy.Uplinks.Contains(port.Number) ? "said to be one" : null),
                Nodes = [.. here[port.Name].Distinct().Order(StringComparer.Ordinal)],
                Others = [.. addresses.Where(m => nodes.Find(m) is null).Take(MostOthers).Select(m => m.ToString())],
                Addresses = addresses.Count,
                Neighbour = neighbours[port.Number].Select(n => $"{(n.SystemName.Length > 0 ? n.SystemName : n.ChassisId)} {(n.PortDescription.Length > 0 ? n.PortDescription : n.PortId)}".Trim()).FirstOrDefault(),
            };
        }
    }

    public static (SwitchRecord? Record, string? Problem) Read(SwitchRequest request)
    {
        if (!ConfigurationFile.IsLabel(request.Name)) return (null, "a switch's name is made of letters, digits and hyphens");
        if (!Uri.TryCreate(request.Address, UriKind.Absolute, out var address) || !SwitchFamily.Schemes.Contains(address.Scheme)) return (null, $"the address is written like snmp+qbridge://10.0.0.2; there are {string.Join(", ", SwitchFamily.Schemes.Order())}");
        if (address.UserInfo.Length > 0) return (null, "an address has no user or password in it");
        if (ReadAccount(request.User, request.Authentication, request.Privacy) is not ({ } account, _)) return (null, ReadAccount(request.User, request.Authentication, request.Privacy).Problem);
        if (!TryChoose(request.Drift, DriftPolicy.Report, out var drift)) return (null, "drift is report, assert or adopt");
        if (BadVlan(request.Ours.Vlans) is { } bad) return (null, bad);
        var record = new SwitchRecord { Name = request.Name, Address = address, Account = account, Ours = Territory(request.Ours), Drift = drift };
        try
        {
            record.Account.With(request.Secret);
            return (record, null);
        }
        catch (ArgumentException e)
        {
            return (null, e.Message);
        }
    }

    public static (SwitchAccount? Account, string? Problem) ReadAccount(string? user, string? hash, string? cipher) =>
        !TryChoose(hash, UsmAuthentication.Sha256, out var authentication) ? (null, $"'{hash}' is no way to sign: sha1, sha224, sha256, sha384, sha512")
        : !TryChoose(cipher, UsmPrivacy.Aes128, out var privacy) ? (null, $"'{cipher}' is no way to encrypt: aes128, aes192, aes256, none")
        : (new(user, authentication, privacy), null);

    public static string? ProblemOf(SwitchAllowRequest request) =>
        !TryChoose(request.Drift, DriftPolicy.Report, out _) ? "drift is report, assert or adopt" : request.Vlans is { } vlans ? BadVlan(vlans) : null;

    public static SwitchRecord Apply(SwitchAllowRequest request, SwitchRecord record)
    {
        TryChoose(request.Drift, record.Drift, out var drift);
        return record with
        {
            Drift = drift,
            Ours = new() { Ports = [.. request.Ports ?? record.Ours.Ports], Vlans = [.. request.Vlans ?? record.Ours.Vlans], Uplinks = [.. request.Uplinks ?? record.Ours.Uplinks] },
        };
    }

    static SwitchTerritory Territory(SwitchTerritoryDocument ours) => new() { Ports = [.. ours.Ports], Vlans = [.. ours.Vlans], Uplinks = [.. ours.Uplinks] };

    static string? BadVlan(IReadOnlyList<string> vlans) => vlans.FirstOrDefault(v => VlanText.Range(v) is null) is { } bad ? $"'{bad}' is not a VLAN (1-4094) or a range of them" : null;

    static bool TryChoose<T>(string? text, T otherwise, out T value) where T : struct, Enum
    {
        value = otherwise;
        if (text is null) return true;
        // A number is no name.
        return text.Length > 0 && char.IsAsciiLetter(text[0]) && Enum.TryParse(text, ignoreCase: true, out value);
    }
}
