using System.Text.Json.Serialization;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Resources;
using GridAppliance.Agent.Updates;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Agent;

// The contract's own context (ApiJson) says the same; a test holds the two against each other. These two are apart from it because building the metadata of documents that
// are only written took a sixth of the agent's start, and because the agent then carries the documents that it knows and no others.

/// <summary>What the agent writes: straight-line code, no metadata.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(ChangeRecord))]
[JsonSerializable(typeof(EnrollRequest))]
[JsonSerializable(typeof(EnrollResponse))]
[JsonSerializable(typeof(HeartbeatRequest))]
[JsonSerializable(typeof(InventoryDocument))]
[JsonSerializable(typeof(ModuleRecord))]
[JsonSerializable(typeof(OrderResult))]
[JsonSerializable(typeof(RelationOrder))]
[JsonSerializable(typeof(SecretRequest))]
[JsonSerializable(typeof(ResourcePages))]
[JsonSerializable(typeof(UpdateRecord))]
sealed partial class WrittenJson : JsonSerializerContext;

/// <summary>What the agent reads.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Metadata, MaxDepth = 16)]
[JsonSerializable(typeof(BootTicket))]
[JsonSerializable(typeof(ChangeRecord))]
[JsonSerializable(typeof(EnrollResponse))]
[JsonSerializable(typeof(HeartbeatResponse))]
[JsonSerializable(typeof(ModuleRecord))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(OrderEnvelope))]
[JsonSerializable(typeof(OrderResult))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(RelationOrder))]
[JsonSerializable(typeof(ResourcePages))]
[JsonSerializable(typeof(SecretAnswer))]
[JsonSerializable(typeof(UpdateRecord))]
sealed partial class ReadJson : JsonSerializerContext;
