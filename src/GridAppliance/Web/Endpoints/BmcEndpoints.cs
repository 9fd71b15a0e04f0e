using GridAppliance.Api.Power;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Ports;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class BmcEndpoints
{
    public static void MapBmc(this IEndpointRouteBuilder api) => api.MapGroup("/nodes").WithTags("power")
        .MapGet("/{name}/bmc", Show).WithName("getBmc").WithSummary("What a node's BMC says of the machine and of itself: labels, network, accounts, weaknesses. Read now.");

    static async Task<Results<Ok<BmcDetailDocument>, ProblemHttpResult>> Show(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (ports.For<IInventorySource>(node.Id) is not { } port) return Problems.Answer(StatusCodes.Status409Conflict, $"{node.Name} has no BMC that is known", $"tell it with `gridctl port set {node.Name} ipmi://…`");
        return await DeviceAnswer.OfAsync<BmcDetailDocument>($"see `gridctl why {node.Name}`", async () =>
        {
            var uuids = await ports.UseAsync<IInventorySource, IReadOnlyList<Guid>>(port, (device, token) => device.ReadSystemUuidAsync(token), cancellation);
            var parts = await ports.UseAsync<IInventorySource, IReadOnlyList<PartLabel>>(port, (device, token) => device.ReadPartsAsync(token), cancellation);
            return TypedResults.Ok(new BmcDetailDocument
            {
                Node = node.Name,
                Address = port.Address.OriginalString,
                Uuids = [.. uuids.Select(uuid => uuid.ToString())],
                Parts = [.. parts.Select(part => new PartDocument { Name = part.Name, Maker = part.Maker, Product = part.Product, PartNumber = part.PartNumber, Serial = part.Serial, AssetTag = part.AssetTag })],
                Lan = await LanAsync(port, ports, cancellation),
                Accounts = await AccountsAsync(port, ports, cancellation),
                SecurityProblems = await WeaknessesAsync(port, ports, cancellation),
            });
        });
    }

    public static async Task<BmcLanDocument?> LanAsync(NodePort port, NodePorts ports, CancellationToken cancellation)
    {
        if (!port.Scheme.Can(typeof(IManagementLan))) return null;
        var lan = await ports.UseAsync<IManagementLan, ManagementLan>(port, (device, token) => device.GetLanAsync(token), cancellation);
        return new()
        {
            Address = lan.Address?.ToString(), Mask = lan.Mask?.ToString(), Gateway = lan.Gateway?.ToString(), Mac = lan.Mac?.ToString(), Origin = lan.Origin?.ToString().ToLowerInvariant(), Vlan = lan.Vlan,
        };
    }

    public static async Task<IReadOnlyList<BmcAccountDocument>> AccountsAsync(NodePort port, NodePorts ports, CancellationToken cancellation)
    {
        if (!port.Scheme.Can(typeof(IDeviceAccounts))) return [];
        var accounts = await ports.UseAsync<IDeviceAccounts, IReadOnlyList<DeviceAccount>>(port, (device, token) => device.ListAccountsAsync(token), cancellation);
        return [.. accounts.Select(account => new BmcAccountDocument { Id = account.Id, Name = account.Name, Role = account.Role.ToString().ToLowerInvariant(), Enabled = account.IsEnabled, MaySignIn = account.MaySignIn })];
    }

    static async Task<IReadOnlyList<string>> WeaknessesAsync(NodePort port, NodePorts ports, CancellationToken cancellation)
    {
        if (!port.Scheme.Can(typeof(ISecurityAudit))) return [];
        var findings = await ports.UseAsync<ISecurityAudit, IReadOnlyList<SecurityFinding>>(port, (device, token) => device.AuditAsync(token), cancellation);
        return [.. findings.Select(finding => finding.Text)];
    }
}
