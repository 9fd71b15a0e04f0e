using System.Collections.Immutable;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Tests.Switches;

sealed record CiscoPort(string Name)
{
    public int Access { get; init; } = 1;
    public int AccessType { get; init; } = CiscoMib.StaticMembership;
    public TrunkMode Mode { get; init; } = TrunkMode.Off;
    public int Encapsulation { get; init; } = 5;
    public int Native { get; init; } = 1;
    public ImmutableArray<SnmpValue> Vlans { get; init; } = [.. Enumerable.Range(0, 4).Select(c => SnmpValue.Octets(VlanBits.Write(Enumerable.Range(1, 4094), c)))];
    public bool HasLink { get; init; } = true;
    public bool IsEnabled { get; init; } = true;
    public string Alias { get; init; } = "";

    public bool IsTrunking => HasLink && Mode is TrunkMode.On or TrunkMode.OnWithoutAsking;
}

/// <summary>What a Cisco switch holds.</summary>
sealed record CiscoModel
{
    public ImmutableSortedDictionary<uint, string> Vlans { get; init; } = ImmutableSortedDictionary<uint, string>.Empty.Add(1, "default").Add(1002, "fddi-default");
    public ImmutableSortedDictionary<uint, CiscoPort> Ports { get; init; } = ImmutableSortedDictionary<uint, CiscoPort>.Empty;
    public VtpMode Mode { get; init; } = VtpMode.Transparent;
    public string Domain { get; init; } = "";
    /// <summary>Null: nobody is editing.</summary>
    public ImmutableSortedDictionary<uint, string>? Buffer { get; init; }
    public string Owner { get; init; } = "";
    public VtpApplyStatus Status { get; init; } = VtpApplyStatus.Succeeded;
    public int Serial { get; init; }
    public string Contact { get; init; } = "";
}

/// <summary>
/// CISCO-VTP-MIB's and CISCO-VLAN-MEMBERSHIP-MIB's rules, as their texts have them: one edit buffer, lent to one; rows whole or not at all; an apply that takes its time; no VLAN for a
/// port that is a trunk; no trunk while its encapsulation is left to be agreed upon; the trunks' serial number. A PDU is done wholly or not at all, and judged by what was there before it.
/// </summary>
sealed class CiscoTree : IManagedTree
{
    static readonly ObjectIdentifier SysContact = new(1, 3, 6, 1, 2, 1, 1, 4, 0);
    Varbind[] rows = [];
    int applying;
    VtpApplyStatus ending;

    public CiscoModel Model { get; set; } = new();

    /// <summary>How often an apply is said to be in progress.</summary>
    public int ApplyTakes { get; set; }

    /// <summary>How the next apply ends.</summary>
    public VtpApplyStatus ApplyEnds { get; set; } = VtpApplyStatus.Succeeded;

    /// <summary>A switch that takes a change of one VLAN at a time.</summary>
    public bool OneAtATime { get; set; } = true;

    /// <summary>Objects that the agent refuses with commitFailed.</summary>
    public Func<Varbind, bool>? Refuses { get; set; }

    /// <summary>Applies that came to their end.</summary>
    public int Applied { get; private set; }

    public ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        rows = [.. Rows().OrderBy(r => r.Name)];
        return ValueTask.CompletedTask;
    }

    IEnumerable<Varbind> Rows()
    {
        yield return new(SysContact, SnmpValue.Text(Model.Contact));
        yield return new(CiscoMib.DomainName.Append(1), SnmpValue.Text(Model.Domain));
        yield return new(CiscoMib.DomainMode.Append(1), SnmpValue.Integer((int)Model.Mode));
        yield return new(CiscoMib.EditOperation.Append(1), SnmpValue.Integer(1));
        yield return new(CiscoMib.ApplyStatus.Append(1), SnmpValue.Integer((int)Model.Status));
        yield return new(CiscoMib.EditOwner.Append(1), SnmpValue.Text(Model.Owner));
        yield return new(CiscoMib.TrunkSerial, SnmpValue.Integer(Model.Serial));
        foreach (var (vlan, name) in Model.Vlans)
        {
            yield return new(CiscoMib.VlanType.Append(1, vlan), SnmpValue.Integer(vlan is >= 1002 and <= 1005 ? 2 : 1));
            yield return new(CiscoMib.VlanName.Append(1, vlan), SnmpValue.Text(name));
        }
        foreach (var (index, port) in Model.Ports)
        {
            yield return new(QBridgeMib.InterfaceName.Append(index), SnmpValue.Text(port.Name));
            yield return new(QBridgeMib.InterfaceAlias.Append(index), SnmpValue.Text(port.Alias));
            yield return new(QBridgeMib.InterfaceAdminStatus.Append(index), SnmpValue.Integer(port.IsEnabled ? 1 : 2));
            yield return new(QBridgeMib.InterfaceOperStatus.Append(index), SnmpValue.Integer(port is { HasLink: true, IsEnabled: true } ? 1 : 2));
            yield return new(CiscoMib.TrunkEncapsulation.Append(index), SnmpValue.Integer(port.Encapsulation));
            yield return new(CiscoMib.TrunkNative.Append(index), SnmpValue.Integer(port.Native));
            yield return new(CiscoMib.TrunkState.Append(index), SnmpValue.Integer((int)port.Mode));
            yield return new(CiscoMib.TrunkStatus.Append(index), SnmpValue.Integer(port.IsTrunking ? 1 : 2));
            for (var c = 0; c < 4; c++) yield return new(CiscoMib.TrunkVlans[c].Append(index), port.Vlans[c]);
            if (port.IsTrunking) continue;
            yield return new(CiscoMib.AccessType.Append(index), SnmpValue.Integer(port.AccessType));
            yield return new(CiscoMib.AccessVlan.Append(index), SnmpValue.Integer(port.Access));
        }
    }

    public SnmpValue Get(ObjectIdentifier name)
    {
        if (name == CiscoMib.ApplyStatus.Append(1) && Model.Status == VtpApplyStatus.InProgress && --applying < 0) Finish();
        if (name == CiscoMib.ApplyStatus.Append(1)) return SnmpValue.Integer((int)Model.Status);
        return rows.FirstOrDefault(r => r.Name == name) is { Name.Length: > 0 } row ? row.Value : SnmpValue.NoSuchInstance;
    }

    public Varbind? Next(ObjectIdentifier name) => rows.FirstOrDefault(r => r.Name > name) is { Name.Length: > 0 } row ? row : null;

    public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken)
    {
        var draft = Model;
        for (var i = 0; i < varbinds.Length; i++)
        {
            var status = Refuses?.Invoke(varbinds[i]) == true ? SnmpErrorStatus.CommitFailed : Change(ref draft, varbinds[i], varbinds);
            if (status != SnmpErrorStatus.None) return ValueTask.FromResult(new SetVerdict(status, i + 1));
        }
        Model = draft;
        return ValueTask.FromResult(SetVerdict.Done);
    }

    SnmpErrorStatus Change(ref CiscoModel draft, Varbind varbind, ImmutableArray<Varbind> all)
    {
        var (name, value) = varbind;
        if (name == SysContact) return Take(ref draft, draft with { Contact = value.AsText });
        if (name == CiscoMib.EditOperation.Append(1)) return Operate(ref draft, value);
        // The owner is named with the copy, and by nobody else.
        if (name == CiscoMib.EditOwner.Append(1)) return Model.Buffer is null && all.Any(v => v.Name == CiscoMib.EditOperation.Append(1)) ? Take(ref draft, draft with { Owner = value.AsText }) : SnmpErrorStatus.InconsistentValue;
        if (name.Below(CiscoMib.EditEntry) is [11, 1, var vlan]) return Edit(ref draft, vlan, value, all);
        // Columns that are read with the row that is made in the same PDU.
        if (name.StartsWith(CiscoMib.EditEntry)) return all.Any(v => v.Name.StartsWith(CiscoMib.EditRowStatus)) ? SnmpErrorStatus.None : SnmpErrorStatus.InconsistentName;
        if (name == CiscoMib.TrunkSerial) return value.TryGetInt32(out var serial) && serial == Model.Serial ? Take(ref draft, draft with { Serial = serial + 1 }) : SnmpErrorStatus.InconsistentValue;
        if (name.Length == 0 || !Model.Ports.TryGetValue(name.Parts[^1], out var port)) return SnmpErrorStatus.NoCreation;
        var changed = draft.Ports[name.Parts[^1]];
        var verdict = ChangePort(port, ref changed, new ObjectIdentifier(name.Parts[..^1]), value, all);
        draft = draft with { Ports = draft.Ports.SetItem(name.Parts[^1], changed) };
        return verdict;
    }

    SnmpErrorStatus Operate(ref CiscoModel draft, SnmpValue value)
    {
        if (!value.TryGetInt32(out var operation)) return SnmpErrorStatus.WrongType;
        switch ((VtpEditOperation)operation)
        {
            case VtpEditOperation.Copy:
                return Model.Buffer is not null || Model.Mode == VtpMode.Client ? SnmpErrorStatus.InconsistentValue : Take(ref draft, draft with { Buffer = Model.Vlans });
            case VtpEditOperation.Apply:
                if (Model.Status == VtpApplyStatus.InProgress) return SnmpErrorStatus.InconsistentValue;
                ending = Model.Buffer is null ? VtpApplyStatus.EditBufferEmpty : Model.Buffer.Values.Distinct().Count() < Model.Buffer.Count ? VtpApplyStatus.InconsistentEdit : ApplyEnds;
                (applying, ApplyEnds) = (ApplyTakes, VtpApplyStatus.Succeeded);
                return Take(ref draft, draft with { Status = VtpApplyStatus.InProgress });
            case VtpEditOperation.Release:
                return Take(ref draft, draft with { Buffer = null, Owner = "" });
            default: return SnmpErrorStatus.WrongValue;
        }
    }

    void Finish()
    {
        Applied++;
        Model = ending == VtpApplyStatus.Succeeded && Model.Buffer is { } buffer ? Model with { Vlans = buffer, Status = ending } : Model with { Status = ending == VtpApplyStatus.Succeeded ? VtpApplyStatus.EditBufferEmpty : ending };
    }

    SnmpErrorStatus Edit(ref CiscoModel draft, uint vlan, SnmpValue value, ImmutableArray<Varbind> all)
    {
        if (Model.Buffer is not { } buffer || Model.Status == VtpApplyStatus.InProgress) return SnmpErrorStatus.InconsistentName;
        if (OneAtATime && buffer.Keys.ToHashSet() is var edited && !edited.SetEquals(Model.Vlans.Keys) && !edited.Except(Model.Vlans.Keys).Concat(Model.Vlans.Keys.Except(edited)).Contains(vlan)) return SnmpErrorStatus.ResourceUnavailable;
        if (!value.TryGetInt32(out var status)) return SnmpErrorStatus.WrongType;
        if (status == RowStatus.Destroy) return vlan is 1 or >= 1002 and <= 1005 ? SnmpErrorStatus.InconsistentValue : Take(ref draft, draft with { Buffer = buffer.Remove(vlan) });
        var hasType = all.Contains(new(CiscoMib.EditType.Append(1, vlan), SnmpValue.Integer(CiscoMib.Ethernet)));
        var name = all.FirstOrDefault(v => v.Name == CiscoMib.EditName.Append(1, vlan)).Value.AsText;
        var said = all.FirstOrDefault(v => v.Name == CiscoMib.EditSaid.Append(1, vlan)).Value.AsOctets;
        if (status != RowStatus.CreateAndGo || buffer.ContainsKey(vlan) || !hasType || name.Length is 0 or > 32 || said.Length != 4 || vlan > 4094) return SnmpErrorStatus.InconsistentValue;
        return Take(ref draft, draft with { Buffer = buffer.Add(vlan, name) });
    }

    SnmpErrorStatus ChangePort(CiscoPort port, ref CiscoPort changed, ObjectIdentifier column, SnmpValue value, ImmutableArray<Varbind> all)
    {
        var trunkColumn = Array.IndexOf(CiscoMib.TrunkVlans, column);
        if (trunkColumn >= 0)
        {
            if (value.AsOctets.Length > 128 || (trunkColumn == 0 && value.AsOctets.Length != 128)) return SnmpErrorStatus.WrongLength;
            if (all.All(v => v.Name != CiscoMib.TrunkSerial)) return SnmpErrorStatus.InconsistentValue;
            return Take(ref changed, changed with { Vlans = changed.Vlans.SetItem(trunkColumn, value) });
        }
        if (column == QBridgeMib.InterfaceAlias) return Take(ref changed, changed with { Alias = value.AsText });
        if (!value.TryGetInt32(out var number)) return SnmpErrorStatus.WrongType;
        if (column == QBridgeMib.InterfaceAdminStatus) return Take(ref changed, changed with { IsEnabled = number == 1 });
        if (column == CiscoMib.TrunkNative) return Take(ref changed, changed with { Native = number });
        if (column == CiscoMib.TrunkEncapsulation) return number == 5 && port.Mode is TrunkMode.On or TrunkMode.OnWithoutAsking ? SnmpErrorStatus.InconsistentValue : Take(ref changed, changed with { Encapsulation = number });
        if (column == CiscoMib.TrunkState) return (TrunkMode)number is TrunkMode.On or TrunkMode.OnWithoutAsking && port.Encapsulation == 5 ? SnmpErrorStatus.InconsistentValue : Take(ref changed, changed with { Mode = (TrunkMode)number });
        if (column != CiscoMib.AccessVlan) return SnmpErrorStatus.NotWritable;
        if (port.IsTrunking) return SnmpErrorStatus.NoCreation;
        return number == 0 || port.AccessType != CiscoMib.StaticMembership || !Model.Vlans.ContainsKey((uint)number) ? SnmpErrorStatus.InconsistentValue : Take(ref changed, changed with { Access = number });
    }

    static SnmpErrorStatus Take<T>(ref T draft, T value)
    {
        draft = value;
        return SnmpErrorStatus.None;
    }
}
