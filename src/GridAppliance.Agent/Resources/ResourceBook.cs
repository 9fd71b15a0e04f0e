using System.Text.Json;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;

namespace GridAppliance.Agent.Resources;

/// <summary>
/// Who holds what of this node: one small file that is always whole, changed before anything is given and after it was taken back. What two orders may claim is decided here
/// and nowhere else, whatever the appliance believes. Not thread-safe: <see cref="ResourceHost"/> has the only one.
/// </summary>
sealed class ResourceBook
{
    /// <summary>Ended ids kept: an order for one of them that comes late finds it over.</summary>
    const int Remembered = 512;
    const int MostHoldings = 256;

    readonly string file;
    readonly MachineResources machine;
    readonly string boot;
    string? damage;
    ResourcePages pages;

    public ResourceBook(AgentPaths paths, MachineResources machine, string boot)
    {
        (file, this.machine, this.boot) = (paths.Resources, machine, boot);
        pages = Load(out damage);
    }

    /// <summary>Who holds what is not known: nothing is given, and nothing that is there is touched, before the machine has booted again.</summary>
    public bool IsDamaged => damage is not null;

    /// <summary>Reads it anew: another agent, on trial, may have written in it.</summary>
    public void Reload() => pages = Load(out damage);

    public IReadOnlyList<HoldingRecord> Holdings => pages.Holdings;

    public HoldingRecord? Find(string id) => pages.Holdings.FirstOrDefault(holding => holding.Id == id);

    /// <summary>Enters a holding, or changes the one with its id. Durable when it returns.</summary>
    /// <param name="order">How it is to be.</param>
    /// <param name="endsAt">When it ends by itself.</param>
    /// <param name="holding">As it is entered.</param>
    /// <returns>Why not, or null.</returns>
    public string? Enter(HoldingOrder order, long endsAt, out HoldingRecord? holding)
    {
        holding = null;
        if (damage is not null) return damage;
        if (pages.Ended.Contains(order.Id)) return "it has ended already";
        var before = Find(order.Id);
        if (before is not null && (before.Owner != order.Owner || !before.Amounts.Equals(order.Amounts))) return $"it is {before.Owner}'s, of {before.Amounts}: a holding keeps its owner and its amounts";
        if (before is null && Refusal(order) is { } refusal) return refusal;
        holding = (before ?? Choose(order, endsAt)) with { Allocated = order.Allocated, EndsAt = endsAt, Modules = order.Modules };
        var entered = holding;
        Save(pages with { Holdings = [.. pages.Holdings.Where(one => one.Id != entered.Id), entered] });
        return null;
    }

    /// <summary>Strikes a holding out; to be called once nothing of it is in use any more.</summary>
    public void Strike(string id)
    {
        if (Find(id) is null && pages.Ended.Contains(id)) return;
        var ended = pages.Ended.Append(id).Distinct().ToList();
        Save(pages with { Holdings = [.. pages.Holdings.Where(one => one.Id != id)], Ended = ended.Count > Remembered ? [.. ended.Skip(ended.Count - Remembered)] : ended });
    }

    string? Refusal(HoldingOrder order)
    {
        if (!order.Amounts.IsSound || order.Amounts.Cpus == 0) return "a holding takes one processor at least, and amounts that can be";
        if (pages.Holdings.Count >= MostHoldings) return $"this node has {MostHoldings} holdings already";
        var held = pages.Holdings.Aggregate(new ResourceAmounts(), (sum, one) => sum + one.Amounts);
        var total = machine.Amounts with { Named = order.Of };
        return order.Amounts.LackIn(total - held);
    }

    HoldingRecord Choose(HoldingOrder order, long endsAt) => new()
    {
        Id = order.Id, Owner = order.Owner, Amounts = order.Amounts, EndsAt = endsAt,
        Cpus = [.. machine.Cpus.Except(pages.Holdings.SelectMany(one => one.Cpus)).Take(order.Amounts.Cpus)],
        Accelerators = [.. machine.Accelerators.Except(pages.Holdings.SelectMany(one => one.Accelerators)).Take(order.Amounts.Accelerators)],
    };

    void Save(ResourcePages next)
    {
        DurableFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(next, WrittenJson.Default.ResourcePages));
        pages = next;
    }

    ResourcePages Load(out string? damage)
    {
        damage = null;
        var none = new ResourcePages { Boot = boot };
        try { return DurableFile.Read(file) is { } kept && JsonSerializer.Deserialize(kept, ReadJson.Default.ResourcePages) is { } read && read.Boot == boot ? read : none; }
        catch (JsonException)
        {
            // Written whole or not at all: somebody else did this.
            damage = $"{file} is damaged: who holds what of this node is not known until it boots again";
            return none;
        }
    }
}
