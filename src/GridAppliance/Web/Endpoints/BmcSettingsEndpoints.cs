using System.Text;
using GridAppliance.Api.Power;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>A BMC's own network settings and accounts, read and written.</summary>
static class BmcSettingsEndpoints
{
    const int MostVlan = 4094;

    static readonly AccountRole[] Roles = [AccountRole.Callback, AccountRole.User, AccountRole.Operator, AccountRole.Administrator];

    public static void MapBmcSettings(this IEndpointRouteBuilder api)
    {
        var bmc = api.MapGroup("/nodes/{name}/bmc").WithTags("power");
        bmc.MapGet("/lan", GetLan).WithName("getBmcLan").WithSummary("How a node's BMC is on the network. Read now.");
        bmc.MapPut("/lan", SetLan).WithName("setBmcLan").WithSummary("Change how a node's BMC is on the network; what could take it away from the appliance only with force.");
        bmc.MapGet("/accounts", GetAccounts).WithName("getBmcAccounts").WithSummary("The accounts of a node's BMC. Read now.");
        bmc.MapPut("/accounts/{account}", SetAccount).WithName("setBmcAccount").WithSummary("Make or change an account of a node's BMC; the appliance's own only with force.");
        bmc.MapDelete("/accounts/{account}", Disable).WithName("disableBmcAccount").WithSummary("Disable an account of a node's BMC.");
    }

    static Task<Results<Ok<BmcLanDocument>, ProblemHttpResult>> GetLan(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation) =>
        With<IManagementLan, BmcLanDocument>(name, directory, ports, async (_, port) => TypedResults.Ok((await BmcEndpoints.LanAsync(port, ports, cancellation))!));

    static Task<Results<Ok<IReadOnlyList<BmcAccountDocument>>, ProblemHttpResult>> GetAccounts(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation) =>
        With<IDeviceAccounts, IReadOnlyList<BmcAccountDocument>>(name, directory, ports, async (_, port) => TypedResults.Ok(await BmcEndpoints.AccountsAsync(port, ports, cancellation)));

    static async Task<Results<Ok<BmcChangeDocument>, ProblemHttpResult>> SetLan(string name, BmcLanRequest request, HttpContext context, NodeDirectory directory, NodePorts ports, BmcSettings settings, CancellationToken cancellation)
    {
        if (!TryRead(request, out var wanted, out var defect)) return Bad(defect);
        return await With<IManagementLan, BmcChangeDocument>(name, directory, ports, async (node, port) =>
        {
            var change = await settings.SetLanAsync(node, port, wanted, Order(request.Force, request.DryRun, context), cancellation);
            return Answer(node, request.DryRun, change) is { } problem ? problem : TypedResults.Ok(Told(node, request.DryRun, change));
        });
    }

    static async Task<Results<Ok<BmcChangeDocument>, ProblemHttpResult>> SetAccount(
        string name, string account, BmcAccountRequest request, HttpContext context, NodeDirectory directory, NodePorts ports, BmcSettings settings, CancellationToken cancellation)
    {
        if (BmcSettings.Defect(account) is { } defect) return Bad(defect);
        if (!Enum.TryParse<AccountRole>(request.Role, ignoreCase: true, out var role) || !Roles.Contains(role)) return Bad($"'{Problems.Short(request.Role)}' is no role: {string.Join(", ", Roles.Select(known => known.ToString().ToLowerInvariant()))}");
        var password = request.Password is { } text ? Encoding.UTF8.GetBytes(text) : null;
        if (password is { Length: 0 or > UserLimits.LongPassword }) return Bad($"a BMC's password has 1 to {UserLimits.LongPassword} octets");
        return await With<IDeviceAccounts, BmcChangeDocument>(name, directory, ports, async (node, port) =>
        {
            var wish = new AccountWish(account, role, password is null ? default(ReadOnlyMemory<byte>?) : password, request.Slot);
            var change = await settings.SetAccountAsync(node, port, wish, Order(request.Force, request.DryRun, context), cancellation);
            return Answer(node, request.DryRun, change) is { } problem ? problem : TypedResults.Ok(Told(node, request.DryRun, change));
        });
    }

    static Task<Results<Ok<BmcChangeDocument>, ProblemHttpResult>> Disable(
        string name, string account, bool? force, bool? dryRun, HttpContext context, NodeDirectory directory, NodePorts ports, BmcSettings settings, CancellationToken cancellation) =>
        With<IDeviceAccounts, BmcChangeDocument>(name, directory, ports, async (node, port) =>
        {
            var change = await settings.DisableAccountAsync(node, port, account, Order(force ?? false, dryRun ?? false, context), cancellation);
            return Answer(node, dryRun ?? false, change) is { } problem ? problem : TypedResults.Ok(Told(node, dryRun ?? false, change));
        });

    static BmcChangeOrder Order(bool force, bool dryRun, HttpContext context) => new(force, dryRun, Caller.Of(context).Actor);

    /// <summary>The refusal, where there is one.</summary>
    static ProblemHttpResult? Answer(Node node, bool dryRun, BmcChange change) => change switch
    {
        BmcChange.Cuts cuts when !dryRun => Problems.Answer(StatusCodes.Status409Conflict, $"the appliance may lose {node.Name}'s BMC: {cuts.Reason}", "say --force if that is wanted"),
        BmcChange.Impossible impossible => Problems.Answer(StatusCodes.Status409Conflict, $"{node.Name}'s BMC: {impossible.Reason}", $"look with `gridctl bmc {node.Name}`"),
        _ => null,
    };

    static BmcChangeDocument Told(Node node, bool dryRun, BmcChange change) => new() { Node = node.Name, DryRun = dryRun, Message = ((BmcChange.Done)change).Message };

    static bool TryRead(BmcLanRequest request, out ManagementLan lan, out string defect)
    {
        lan = new();
        defect = "";
        if (!TryReadAddress(request.Address, out var address) || !TryReadAddress(request.Mask, out var mask) || !TryReadAddress(request.Gateway, out var gateway)) defect = "addresses are IPv4, like 10.0.0.5";
        else if (mask is { } bits && !IsMask(bits)) defect = $"{bits} is no network mask";
        else if (request.Vlan is < 0 or > MostVlan) defect = $"a VLAN is 1 to {MostVlan}, or 0 for none";
        else if (request.Origin is not (null or "static" or "dhcp")) defect = $"'{Problems.Short(request.Origin)}' is no source of addresses: static or dhcp";
        else if (request.Origin == "dhcp" && (address ?? mask ?? gateway) is not null) defect = "what DHCP says is not said here";
        else if (request is { Address: null, Mask: null, Gateway: null, Origin: null, Vlan: null }) defect = "there is nothing to change";
        else lan = new()
        {
            Address = address, Mask = mask, Gateway = gateway, Vlan = (ushort?)request.Vlan,
            Origin = request.Origin switch { "static" => AddressOrigin.Static, "dhcp" => AddressOrigin.Dhcp, _ => null },
        };
        return defect.Length == 0;
    }

    static bool TryReadAddress(string? text, out Ipv4Address? address)
    {
        address = null;
        if (text is null) return true;
        if (!Ipv4Address.TryParse(text, null, out var read)) return false;
        address = read;
        return true;
    }

    static bool IsMask(Ipv4Address mask) => mask.Value != 0 && (~mask.Value & (~mask.Value + 1)) == 0;

    static ProblemHttpResult Bad(string defect) => Problems.Answer(StatusCodes.Status400BadRequest, defect, "see `gridctl bmc --help`");

    static async Task<Results<Ok<TDocument>, ProblemHttpResult>> With<T, TDocument>(string name, NodeDirectory directory, NodePorts ports, Func<Node, NodePort, Task<Results<Ok<TDocument>, ProblemHttpResult>>> act)
        where T : class
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (ports.For<T>(node.Id) is not { } port) return Problems.Answer(StatusCodes.Status409Conflict, $"{node.Name} has no BMC whose settings can be reached", $"tell it with `gridctl port set {node.Name} ipmi://…`");
        return await DeviceAnswer.OfAsync($"see `gridctl why {node.Name}`", () => act(node, port));
    }
}
