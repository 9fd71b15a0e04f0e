using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Consoles;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Operations;
using GridAppliance.Api.Ports;
using GridAppliance.Api.San;
using GridAppliance.Api.Switches;
using GridAppliance.Api.Power;

namespace GridAppliance.Api;

/// <summary>The one JSON context of the contract: camelCase, nulls left out, depth bounded. Works trimmed and without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 16)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(NodeDocument))]
[JsonSerializable(typeof(IReadOnlyList<NodeDocument>))]
[JsonSerializable(typeof(TimelineDocument))]
[JsonSerializable(typeof(EventDocument))]
[JsonSerializable(typeof(IReadOnlyList<EventDocument>))]
[JsonSerializable(typeof(WhyDocument))]
[JsonSerializable(typeof(OperationDocument))]
[JsonSerializable(typeof(IReadOnlyList<OperationDocument>))]
[JsonSerializable(typeof(ModuleDocument))]
[JsonSerializable(typeof(IReadOnlyList<ModuleDocument>))]
[JsonSerializable(typeof(ModuleManifest))]
[JsonSerializable(typeof(ModuleChangeRequest))]
[JsonSerializable(typeof(NodeChangeRequest))]
[JsonSerializable(typeof(ChangeDocument))]
[JsonSerializable(typeof(PortRequest))]
[JsonSerializable(typeof(PortDocument))]
[JsonSerializable(typeof(IReadOnlyList<PortDocument>))]
[JsonSerializable(typeof(SwitchDocument))]
[JsonSerializable(typeof(IReadOnlyList<SwitchDocument>))]
[JsonSerializable(typeof(SwitchRequest))]
[JsonSerializable(typeof(SwitchAllowRequest))]
[JsonSerializable(typeof(IReadOnlyList<SwitchPortDocument>))]
[JsonSerializable(typeof(VlanChangeRequest))]
[JsonSerializable(typeof(VlanChangeDocument))]
[JsonSerializable(typeof(PortImportRequest))]
[JsonSerializable(typeof(PortImportDocument))]
[JsonSerializable(typeof(PortBootRequest))]
[JsonSerializable(typeof(BmcScanRequest))]
[JsonSerializable(typeof(BmcScanDocument))]
[JsonSerializable(typeof(PowerRequest))]
[JsonSerializable(typeof(BootRequest))]
[JsonSerializable(typeof(IdentifyRequest))]
[JsonSerializable(typeof(MediaRequest))]
[JsonSerializable(typeof(MediaDocument))]
[JsonSerializable(typeof(PowerPolicyRequest))]
[JsonSerializable(typeof(PowerStatusDocument))]
[JsonSerializable(typeof(SensorsDocument))]
[JsonSerializable(typeof(DeviceLogDocument))]
[JsonSerializable(typeof(FabricMapDocument))]
[JsonSerializable(typeof(CablingRequest))]
[JsonSerializable(typeof(CablingDocument))]
[JsonSerializable(typeof(DriftDocument))]
[JsonSerializable(typeof(DriftRequest))]
[JsonSerializable(typeof(DriftAnswerDocument))]
[JsonSerializable(typeof(IReadOnlyList<SanFabricDocument>))]
[JsonSerializable(typeof(SanFabricRequest))]
[JsonSerializable(typeof(IReadOnlyList<SanZoneDocument>))]
[JsonSerializable(typeof(SanZoneRequest))]
[JsonSerializable(typeof(SanChangeDocument))]
[JsonSerializable(typeof(ConsoleLineDocument))]
[JsonSerializable(typeof(IReadOnlyList<ConsoleLineDocument>))]
[JsonSerializable(typeof(ConsoleMessage))]
[JsonSerializable(typeof(ConsoleRequest))]
[JsonSerializable(typeof(IReadOnlyList<ConsoleScriptDocument>))]
[JsonSerializable(typeof(ConsoleScriptRequest))]
[JsonSerializable(typeof(ConsoleScriptProgress))]
[JsonSerializable(typeof(EnrollRequest))]
[JsonSerializable(typeof(EnrollResponse))]
[JsonSerializable(typeof(HeartbeatRequest))]
[JsonSerializable(typeof(HeartbeatResponse))]
[JsonSerializable(typeof(OrderEnvelope))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(OrderResult))]
public sealed partial class ApiJson : JsonSerializerContext;
