using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// Makes and removes a VLAN in the way of CISCO-VTP-MIB: the list of VLANs is copied to the edit buffer, which lends it to one at a time, edited there, applied, and the buffer given
/// back. What is so already is not done again, so that an answer that was lost, or a step taken back that never was done, does no harm.
/// </summary>
sealed class VtpEditor(SnmpSession session)
{
    /// <summary>Once more from the start, for answers that were lost in the middle.</summary>
    const int Attempts = 2;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), FirstLook = TimeSpan.FromMilliseconds(50), LongestLook = TimeSpan.FromSeconds(1);
    static readonly ObjectIdentifier SysContact = new(1, 3, 6, 1, 2, 1, 1, 4, 0);

    public static bool IsEdit(ImmutableArray<Varbind> rows) => rows[0].Name.StartsWith(CiscoMib.EditEntry);

    /// <param name="rows">The columns of one VLAN, its row's status first.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Why it was not done; null when it is.</returns>
    public async Task<string?> ChangeAsync(ImmutableArray<Varbind> rows, CancellationToken cancellationToken)
    {
        if (rows[0].Name.Below(CiscoMib.EditRowStatus) is not [var domain, var vlan]) throw new ArgumentException("a row begins with its status", nameof(rows));
        var isRemoval = rows[0].Value.TryGetInt32(out var status) && status == RowStatus.Destroy;
        string? refusal = null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await ExistsAsync(domain, vlan, cancellationToken) != isRemoval) return null;
            refusal = await TryAsync(domain, rows, cancellationToken);
        }
        return await ExistsAsync(domain, vlan, cancellationToken) != isRemoval ? null : refusal ?? "it says that the VLANs were changed, and they are as they were";
    }

    /// <summary>Borrows the buffer and gives it back, to see whether it is lent to us.</summary>
    /// <returns>Why not; null when it is.</returns>
    public async Task<string?> ProbeAsync(uint domain, CancellationToken cancellationToken)
    {
        var refusal = await BorrowAsync(domain, cancellationToken);
        if (refusal is null) await OperateAsync(domain, VtpEditOperation.Release, cancellationToken);
        return refusal;
    }

    async Task<bool> ExistsAsync(uint domain, uint vlan, CancellationToken cancellationToken) => !(await ReadAsync(CiscoMib.VlanName.Append(domain, vlan), cancellationToken)).IsException;

    async Task<string?> TryAsync(uint domain, ImmutableArray<Varbind> rows, CancellationToken cancellationToken)
    {
        if (await BorrowAsync(domain, cancellationToken) is { } held) return held;
        var outcome = await session.SetAsync(rows, cancellationToken);
        var refusal = outcome.IsDone ? await ApplyAsync(domain, cancellationToken) : outcome.ToString();
        // A buffer that is not given back is by the switch itself, after five minutes.
        await OperateAsync(domain, VtpEditOperation.Release, cancellationToken);
        return refusal;
    }

    async Task<string?> BorrowAsync(uint domain, CancellationToken cancellationToken)
    {
        var own = SwitchMark.Read((await ReadAsync(SysContact, cancellationToken)).AsText) is { } mark ? $"gridappliance {mark.Id}" : "gridappliance";
        ImmutableArray<Varbind> copy = [Operation(domain, VtpEditOperation.Copy), new(CiscoMib.EditOwner.Append(domain), SnmpValue.Text(own))];
        var outcome = await session.SetAsync(copy, cancellationToken);
        if (outcome.IsDone) return null;
        var holder = (await ReadAsync(CiscoMib.EditOwner.Append(domain), cancellationToken)).AsText;
        if (holder != own) return holder.Length == 0 ? $"its list of VLANs cannot be edited: {outcome}" : $"its list of VLANs is being edited by '{holder}'";
        // Ours from before: an answer was lost, or the daemon ended in the middle of an edit.
        await OperateAsync(domain, VtpEditOperation.Release, cancellationToken);
        outcome = await session.SetAsync(copy, cancellationToken);
        return outcome.IsDone ? null : $"its list of VLANs cannot be edited: {outcome}";
    }

    // An order that is refused may be one that is under way already: the answer to it was lost.
    async Task<string?> ApplyAsync(uint domain, CancellationToken cancellationToken)
    {
        var outcome = await OperateAsync(domain, VtpEditOperation.Apply, cancellationToken);
        return await EndOfApplyAsync(domain, cancellationToken) ?? (outcome.IsDone ? null : outcome.ToString());
    }

    async Task<string?> EndOfApplyAsync(uint domain, CancellationToken cancellationToken)
    {
        var giveUp = session.Clock.GetUtcNow() + Patience;
        for (var look = FirstLook; ; look = look * 2 < LongestLook ? look * 2 : LongestLook)
        {
            var value = await ReadAsync(CiscoMib.ApplyStatus.Append(domain), cancellationToken);
            if (!value.TryGetInt32(out var number) || !Enum.IsDefined((VtpApplyStatus)number)) return $"it says {value} of how the change of its VLANs went";
            if ((VtpApplyStatus)number != VtpApplyStatus.InProgress) return Words((VtpApplyStatus)number);
            if (session.Clock.GetUtcNow() >= giveUp) return $"the change of its VLANs did not come to an end within {Patience.TotalSeconds:0} s";
            await Task.Delay(look, session.Clock, cancellationToken);
        }
    }

    static string? Words(VtpApplyStatus status) => status switch
    {
        VtpApplyStatus.Succeeded => null,
        VtpApplyStatus.InProgress => "the change of its VLANs goes on",
        VtpApplyStatus.ConfigNumberError => "another switch of its VTP domain has changed the VLANs meanwhile",
        VtpApplyStatus.InconsistentEdit => "its VLANs would not fit together",
        VtpApplyStatus.TooBig => "it has no room for more VLANs",
        VtpApplyStatus.LocalStoreFailed => "it could not store its VLANs",
        VtpApplyStatus.RemoteStoreFailed => "it could not store its VLANs where they are kept",
        VtpApplyStatus.EditBufferEmpty => "its edit buffer was emptied in between",
        VtpApplyStatus.OtherError => "it could not change its VLANs, and does not say why",
        VtpApplyStatus.NotPrimaryServer => "it is not its VTP domain's primary server",
    };

    Task<SetOutcome> OperateAsync(uint domain, VtpEditOperation operation, CancellationToken cancellationToken) => session.SetAsync([Operation(domain, operation)], cancellationToken);

    async Task<SnmpValue> ReadAsync(ObjectIdentifier name, CancellationToken cancellationToken) => (await session.GetAsync([name], cancellationToken))[0].Value;

    static Varbind Operation(uint domain, VtpEditOperation operation) => new(CiscoMib.EditOperation.Append(domain), SnmpValue.Integer((int)operation));
}
