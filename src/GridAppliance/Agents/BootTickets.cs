using GridAppliance.Api.Agents;
using GridAppliance.Boot;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Agents;

/// <summary>
/// The token for a boot that goes round the firmware. The agent that is ordered to boot fetches it in the last moment, and hands it to the kernel: so it is nowhere kept, is as young as a boot
/// script's, and is bound to NIC and address in the same way. The node enrols anew with it, as after any boot; its old key ends with the old kernel.
/// </summary>
sealed class BootTickets(BootAttempts attempts, AgentOrders orders, NodeDirectory nodes, TimeProvider time)
{
    /// <returns>Null when nobody asked this node to boot.</returns>
    public async Task<BootTicket?> IssueAsync(Node node, BootRequester who, CancellationToken cancellationToken)
    {
        var isInstalling = orders.IsAt(node.Id, OrderKinds.InstallDisk);
        if (!isInstalling && !orders.IsAt(node.Id, OrderKinds.BootImage)) return null;
        var mac = who.Mac is { } known && node.Macs.Contains(known) ? known : node.BootMac;
        // A system on a disk may have an address of its own, from which its agent will call.
        var address = isInstalling ? node.Disk?.Settings.Address?.Address ?? who.Address : who.Address;
        var issued = await attempts.IssueAsync(mac, address, who.Network.Name, node.Uuid, cancellationToken);
        var now = time.GetUtcNow();
        if (!isInstalling) nodes.Touch(node.Id, latest => latest with { Boot = new() { Started = now, LastActivity = now, Milestone = BootMilestone.Kernel } });
        return new() { Token = issued.Token };
    }
}
