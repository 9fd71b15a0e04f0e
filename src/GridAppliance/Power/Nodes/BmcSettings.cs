using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Nodes;

/// <summary>What became of a wish about a BMC itself.</summary>
abstract record BmcChange
{
    /// <summary>Done, or on a dry run what would be.</summary>
    public sealed record Done(string Message) : BmcChange;
    /// <summary>The appliance might lose its own way to the BMC: only with force.</summary>
    public sealed record Cuts(string Reason) : BmcChange;
    /// <summary>It cannot be so.</summary>
    public sealed record Impossible(string Reason) : BmcChange;
}

/// <param name="Force">Even if the appliance loses its way to the BMC.</param>
/// <param name="DryRun">Look, and change nothing.</param>
/// <param name="Actor">Who asks.</param>
readonly record struct BmcChangeOrder(bool Force, bool DryRun, string Actor);

/// <summary>An account as somebody wants it.</summary>
sealed record AccountWish(string Name, AccountRole Role, ReadOnlyMemory<byte>? Password, int? Slot)
{
    /// <summary>Never the password.</summary>
    public override string ToString() => $"{Name} as {Role}";
}

/// <summary>Changes a BMC's own network settings and accounts, and goes along with a change of those that the appliance itself uses.</summary>
sealed class BmcSettings(NodePorts ports, Timeline timeline)
{
    /// <summary>The first is reserved by the specification for the nameless account.</summary>
    const int FirstSlot = 2;

    /// <exception cref="DeviceException">The BMC or the way to it failed.</exception>
    public async Task<BmcChange> SetLanAsync(Node node, NodePort port, ManagementLan wanted, BmcChangeOrder order, CancellationToken cancellationToken)
    {
        var now = await ports.UseAsync<IManagementLan, ManagementLan>(port, (device, token) => device.GetLanAsync(token), cancellationToken);
        if (LanPlan.Changes(now, wanted) is not { } changes) return new BmcChange.Done("its network settings are so already");
        var reachedAt = Ipv4Address.TryParse(port.Address.Host, null, out var host) ? host : default(Ipv4Address?);
        var cut = LanPlan.CutBy(now, changes, reachedAt, reachedAt is { } there ? OurAddressTowards(there) : null);
        var words = LanPlan.Describe(now, changes);
        if (order.DryRun) return new BmcChange.Done($"would be changed: {words}{(cut is null ? "" : $"; the appliance may lose it: {cut}")}");
        if (cut is not null && !order.Force) return new BmcChange.Cuts(cut);

        await timeline.AppendAsync(NewEvent.About(node, "port.lan", $"the network settings of {node.Name}'s BMC are changed by {order.Actor}: {words}") with { Actor = order.Actor }, cancellationToken);
        try
        {
            await ports.UseAsync<IManagementLan>(port, (device, token) => device.SetLanAsync(changes, token), cancellationToken);
        }
        catch (DeviceException e) when (cut is not null && e.Fault is DeviceFault.TimedOut or DeviceFault.Unreachable)
        {
            // Nobody can say "done" from an address that is not theirs any more.
        }
        if (changes.Address is not { } moved || reachedAt != now.Address) return new BmcChange.Done($"changed: {words}");
        // The one form in which addresses are kept.
        if (!PortScheme.TryRead(new UriBuilder(port.Address) { Host = moved.ToString() }.Uri.AbsoluteUri, out var address, out var defect)) throw new InvalidOperationException(defect);
        return await ports.MoveAsync(port, address, order.Actor, cancellationToken) is PortChange.BelongsTo other
            ? new BmcChange.Done($"changed: {words}; the appliance knows {address.OriginalString} as {other.Node}'s, and still looks for this one where it was")
            : new BmcChange.Done($"changed: {words}; the appliance looks for it there from now on");
    }

    /// <exception cref="DeviceException">The BMC or the way to it failed.</exception>
    public async Task<BmcChange> SetAccountAsync(Node node, NodePort port, AccountWish wish, BmcChangeOrder order, CancellationToken cancellationToken)
    {
        var accounts = await ListAsync(port, cancellationToken);
        var known = accounts.FirstOrDefault(account => account.Name == wish.Name);
        if (known is null && wish.Password is null) return new BmcChange.Impossible($"there is no account {wish.Name}, and a new one needs a password");
        if (known is not null && wish.Slot is { } other && other != known.Id) return new BmcChange.Impossible($"{wish.Name} is in slot {known.Id}");
        var slot = known ?? (wish.Slot is { } chosen ? accounts.FirstOrDefault(account => account.Id == chosen) : accounts.FirstOrDefault(IsFree));
        if (slot is null || slot.Id < FirstSlot) return new BmcChange.Impossible(wish.Slot is null ? "it has no account to spare" : $"there is no slot {wish.Slot} for accounts with names: there are {FirstSlot} to {accounts.Count}");
        if (known is null && slot.Name.Length > 0) return new BmcChange.Impossible($"slot {slot.Id} is {slot.Name}'s");

        var isOurs = wish.Name == port.User;
        var role = wish.Role.ToString().ToLowerInvariant();
        var words = $"account {wish.Name} in slot {slot.Id}, {role}{(wish.Password is null ? "" : known is null ? ", with a password" : ", with another password")}";
        var cut = isOurs && wish.Role != AccountRole.Administrator ? $"the appliance signs in as {wish.Name}, and could not do all of its work as {role}"
            : isOurs && wish.Password is not null ? $"the appliance signs in as {wish.Name}" : null;
        if (order.DryRun) return new BmcChange.Done($"would be set: {words}{(cut is null ? "" : $"; with --force only: {cut}")}");
        if (cut is not null && !order.Force) return new BmcChange.Cuts(cut);

        await ports.UseAsync<IDeviceAccounts>(port, (device, token) => device.SetAccountAsync(slot.Id, wish.Name, wish.Password, wish.Role, token), cancellationToken);
        await timeline.AppendAsync(NewEvent.About(node, "port.account", $"{node.Name}'s BMC has {words}, says {order.Actor}") with { Actor = order.Actor }, cancellationToken);
        if (!isOurs || wish.Password is null) return new BmcChange.Done($"set: {words}");
        await ports.SetAsync(port.NodeId, new() { Address = port.Address, User = port.User, Password = wish.Password }, order.Actor, cancellationToken);
        return new BmcChange.Done($"set: {words}; the appliance signs in with it from now on");
    }

    /// <exception cref="DeviceException">The BMC or the way to it failed.</exception>
    public async Task<BmcChange> DisableAccountAsync(Node node, NodePort port, string name, BmcChangeOrder order, CancellationToken cancellationToken)
    {
        var accounts = await ListAsync(port, cancellationToken);
        if (name.Length == 0 || accounts.FirstOrDefault(account => account.Name == name) is not { } account) return new BmcChange.Impossible($"there is no account {name}");
        var cut = name == port.User ? $"the appliance signs in as {name}" : null;
        if (order.DryRun) return new BmcChange.Done($"account {name} in slot {account.Id} would be disabled, and its password be lost{(cut is null ? "" : $"; with --force only: {cut}")}");
        if (cut is not null && !order.Force) return new BmcChange.Cuts(cut);
        await ports.UseAsync<IDeviceAccounts>(port, (device, token) => device.DisableAccountAsync(account.Id, token), cancellationToken);
        await timeline.AppendAsync(NewEvent.About(node, "port.account", $"account {name} of {node.Name}'s BMC was disabled by {order.Actor}") with { Actor = order.Actor }, cancellationToken);
        return new BmcChange.Done($"account {name} is disabled");
    }

    /// <summary>What is wrong with an account's name; null when a BMC can have it.</summary>
    public static string? Defect(string name) =>
        name.Length is 0 or > UserLimits.Name || name.Any(sign => sign is <= ' ' or > '~') ? $"an account's name has 1 to {UserLimits.Name} printable ASCII characters" : null;

    Task<IReadOnlyList<DeviceAccount>> ListAsync(NodePort port, CancellationToken cancellationToken) =>
        ports.UseAsync<IDeviceAccounts, IReadOnlyList<DeviceAccount>>(port, (device, token) => device.ListAccountsAsync(token), cancellationToken);

    static bool IsFree(DeviceAccount account) => account.Id >= FirstSlot && account.Name.Length == 0 && (!account.MaySignIn || account.Role == AccountRole.None);

    /// <summary>Which of our addresses the kernel would write on a packet to it; nothing is sent.</summary>
    static Ipv4Address? OurAddressTowards(Ipv4Address there)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Connect(IPAddress.Parse(there.ToString()), 9);
            return Ipv4Address.TryParse(((IPEndPoint)socket.LocalEndPoint!).Address.ToString(), null, out var ours) ? ours : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
