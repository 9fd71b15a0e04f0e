using System.Net.Http.Json;
using GridAppliance.Api.Switches;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<IReadOnlyList<SwitchDocument>> GetSwitches(CancellationToken cancellation) => Get("api/v1/switches", ApiJson.Default.IReadOnlyListSwitchDocument, cancellation);

    public Task<SwitchDocument> GetSwitch(string name, CancellationToken cancellation) => Get($"api/v1/switches/{Key(name)}", ApiJson.Default.SwitchDocument, cancellation);

    public Task<IReadOnlyList<SwitchPortDocument>> GetSwitchPorts(string name, CancellationToken cancellation) =>
        Get($"api/v1/switches/{Key(name)}/ports", ApiJson.Default.IReadOnlyListSwitchPortDocument, cancellation);

    public Task<SwitchDocument> AddSwitch(SwitchRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/switches", JsonContent.Create(request, ApiJson.Default.SwitchRequest), ApiJson.Default.SwitchDocument, cancellation);

    /// <summary>Says what of it is the appliance's to write; what the request leaves out stays.</summary>
    public Task<SwitchDocument> AllowSwitch(string name, SwitchAllowRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/switches/{Key(name)}/allow", JsonContent.Create(request, ApiJson.Default.SwitchAllowRequest), ApiJson.Default.SwitchDocument, cancellation);

    public Task<SwitchDocument> ProbeSwitch(string name, CancellationToken cancellation) => Send(HttpMethod.Post, $"api/v1/switches/{Key(name)}/probe", null, ApiJson.Default.SwitchDocument, cancellation);

    public Task<SwitchDocument> TakeSwitch(string name, CancellationToken cancellation) => Send(HttpMethod.Post, $"api/v1/switches/{Key(name)}/take", null, ApiJson.Default.SwitchDocument, cancellation);

    public Task RemoveSwitch(string name, CancellationToken cancellation) => SendForNothing(HttpMethod.Delete, $"api/v1/switches/{Key(name)}", cancellation);

    public Task<VlanChangeDocument> ChangeVlans(VlanChangeRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/switches/vlan", JsonContent.Create(request, ApiJson.Default.VlanChangeRequest), ApiJson.Default.VlanChangeDocument, cancellation);
}
