using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.Snmp;

/// <summary>What a device said to a SET: it did all of it, or none of it and why.</summary>
/// <param name="Status">None when it is done.</param>
/// <param name="Culprit">The variable that it objects to; null when it does not say, or there is none.</param>
readonly record struct SetOutcome(SnmpErrorStatus Status, ObjectIdentifier? Culprit)
{
    public bool IsDone => Status == SnmpErrorStatus.None;

    public override string ToString() => IsDone ? "done" : Culprit is { } culprit ? $"{Status} at {culprit}" : Status.ToString();
}

sealed partial class SnmpSession
{
    long sets;

    /// <summary>SET requests that were answered so far.</summary>
    public long Sets => Interlocked.Read(ref sets);

    /// <summary>The values of some variables, in their order; what is not there has an exception for its value.</summary>
    /// <exception cref="DeviceException">The device refused, or does not answer.</exception>
    public Task<ImmutableArray<Varbind>> GetAsync(IReadOnlyList<ObjectIdentifier> names, CancellationToken cancellationToken) => GetAsync(names, SnmpContext.Default, cancellationToken);

    public async Task<ImmutableArray<Varbind>> GetAsync(IReadOnlyList<ObjectIdentifier> names, SnmpContext context, CancellationToken cancellationToken)
    {
        var result = ImmutableArray.CreateBuilder<Varbind>(names.Count);
        var batch = new List<Varbind>();
        var size = 0;
        foreach (var name in names)
        {
            var varbind = new Varbind(name);
            if (batch.Count > 0 && size + varbind.EncodedLength > RoomForVarbinds)
            {
                result.AddRange(await GetBatchAsync([.. batch], context, cancellationToken));
                batch.Clear();
                size = 0;
            }
            batch.Add(varbind);
            size += varbind.EncodedLength;
        }
        if (batch.Count > 0) result.AddRange(await GetBatchAsync([.. batch], context, cancellationToken));
        return result.DrainToImmutable();
    }

    async Task<ImmutableArray<Varbind>> GetBatchAsync(ImmutableArray<Varbind> batch, SnmpContext context, CancellationToken cancellationToken)
    {
        var (pdu, _) = await AskAsync(_ => new() { Type = SnmpPduType.Get, RequestId = 0, Varbinds = batch }, context, cancellationToken);
        if (pdu.ErrorStatus == SnmpErrorStatus.TooBig && batch.Length > 1)
        {
            var half = batch.Length / 2;
            return [.. await GetBatchAsync(batch[..half], context, cancellationToken), .. await GetBatchAsync(batch[half..], context, cancellationToken)];
        }
        if (pdu.ErrorStatus != SnmpErrorStatus.None) throw Refused("get", pdu, batch);
        if (pdu.Varbinds.Length != batch.Length || !pdu.Varbinds.Select(v => v.Name).SequenceEqual(batch.Select(v => v.Name))) throw Nonsense("was asked for some variables and answered with others");
        return pdu.Varbinds;
    }

    /// <summary>The variable behind <paramref name="name"/>, or one with <see cref="SnmpSyntax.EndOfMibView"/>.</summary>
    public async Task<Varbind> GetNextAsync(ObjectIdentifier name, CancellationToken cancellationToken)
    {
        ImmutableArray<Varbind> asked = [new(name)];
        var (pdu, _) = await AskAsync(_ => new() { Type = SnmpPduType.GetNext, RequestId = 0, Varbinds = asked }, SnmpContext.Default, cancellationToken);
        if (pdu.ErrorStatus != SnmpErrorStatus.None) throw Refused("get", pdu, asked);
        return pdu.Varbinds is [var next] ? next : throw Nonsense("was asked for one variable and answered with another number");
    }

    /// <summary>
    /// Whether the device has a context. To a community that it does not know a device says nothing, so it is asked twice and no oftener; to a user, that there is no such context, or that it is not for him.
    /// </summary>
    public async Task<bool> HasContextAsync(ObjectIdentifier anything, SnmpContext context, CancellationToken cancellationToken)
    {
        const int attempts = 2;
        ImmutableArray<Varbind> asked = [new(anything)];
        try
        {
            var (pdu, _) = await AskAsync(_ => new() { Type = SnmpPduType.GetNext, RequestId = 0, Varbinds = asked }, context, attempts, cancellationToken);
            return pdu.ErrorStatus is SnmpErrorStatus.None or SnmpErrorStatus.NoSuchName;
        }
        catch (DeviceException e) when (e.Fault is DeviceFault.TimedOut or DeviceFault.Unreachable or DeviceFault.Unsupported or DeviceFault.CredentialsRefused)
        {
            return false;
        }
    }

    /// <summary>
    /// Writes variables in one PDU, which devices that keep to the standard do wholly or not at all. Sent again when no answer comes: a device may be
    /// told twice, so values must be such that it does not matter.
    /// </summary>
    public async Task<SetOutcome> SetAsync(IReadOnlyList<Varbind> varbinds, CancellationToken cancellationToken)
    {
        ImmutableArray<Varbind> asked = [.. varbinds];
        var (pdu, _) = await AskAsync(_ => new() { Type = SnmpPduType.Set, RequestId = 0, Varbinds = asked }, SnmpContext.Default, cancellationToken);
        Telemetry.SnmpSets.Add(1, new KeyValuePair<string, object?>("device", Device));
        Interlocked.Increment(ref sets);
        return new(pdu.ErrorStatus, Culprit(pdu, asked));
    }

    /// <summary>Everything below <paramref name="root"/>, in order, by GETBULK.</summary>
    /// <exception cref="DeviceException">Also when the device goes in circles.</exception>
    public async IAsyncEnumerable<Varbind> WalkAsync(ObjectIdentifier root, SnmpContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var at = root;
        var rows = 0;
        while (true)
        {
            var from = at;
            var asked = 0;
            var (pdu, octets) = await AskAsync(attempt =>
            {
                if (attempt > 0) bulk.Choked(asked);
                asked = bulk.Rows;
                return new() { Type = SnmpPduType.GetBulk, RequestId = 0, MaxRepetitions = asked, Varbinds = [new(from)] };
            }, context, cancellationToken);
            if (pdu.ErrorStatus == SnmpErrorStatus.TooBig && asked > 1)
            {
                bulk.Choked(asked);
                continue;
            }
            if (pdu.ErrorStatus == SnmpErrorStatus.NoSuchName) yield break; // a version 1 agent's end of the tree
            if (pdu.ErrorStatus != SnmpErrorStatus.None) throw Refused("walk", pdu, [new(from)]);
            if (pdu.Varbinds.IsEmpty) yield break;
            foreach (var varbind in pdu.Varbinds)
            {
                if (varbind.Value.IsException || !varbind.Name.StartsWith(root)) yield break;
                if (varbind.Name <= at) throw Nonsense($"goes in circles at {varbind.Name}");
                if (++rows > timings.LargestTable) throw Nonsense($"has no end of rows below {root}: over {timings.LargestTable}");
                yield return varbind;
                at = varbind.Name;
            }
            // Only whole pages say something about the right size: the last of a table is short by nature.
            bulk.Answered(asked, pdu.Varbinds.Length, octets);
        }
    }

    /// <summary>Everything below <paramref name="root"/> at once.</summary>
    public Task<IReadOnlyList<Varbind>> WalkAsync(ObjectIdentifier root, CancellationToken cancellationToken) => ReadTreeAsync(root, SnmpContext.Default, cancellationToken);

    public async Task<IReadOnlyList<Varbind>> ReadTreeAsync(ObjectIdentifier root, SnmpContext context, CancellationToken cancellationToken)
    {
        var found = new List<Varbind>();
        await foreach (var varbind in WalkAsync(root, context, cancellationToken)) found.Add(varbind);
        return found;
    }

    DeviceException Refused(string what, SnmpPdu pdu, ImmutableArray<Varbind> asked) =>
        new(pdu.ErrorStatus is SnmpErrorStatus.AuthorizationError or SnmpErrorStatus.NoAccess ? DeviceFault.CredentialsRefused : DeviceFault.Refused, Device,
            $"refused a {what}: {new SetOutcome(pdu.ErrorStatus, Culprit(pdu, asked))}", pdu.ErrorStatus is SnmpErrorStatus.ResourceUnavailable or SnmpErrorStatus.GeneralError);

    DeviceException Nonsense(string what) => new(DeviceFault.Nonsense, Device, what, isTransient: false);

    static ObjectIdentifier? Culprit(SnmpPdu pdu, ImmutableArray<Varbind> asked) =>
        pdu.ErrorStatus != SnmpErrorStatus.None && pdu.ErrorIndex > 0 && pdu.ErrorIndex <= asked.Length ? asked[pdu.ErrorIndex - 1].Name : null;
}
