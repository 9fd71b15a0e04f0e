using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Orders;

/// <summary>Why an order is not carried out.</summary>
enum OrderDefect { None, NotAnEnvelope, BadSignature, NotFresh, NotAnOrder, OtherNode }

/// <summary>Nothing of an order is believed, or even parsed, before its signature has been verified.</summary>
static class OrderCheck
{
    const int MaximumIdLength = 128;

    /// <param name="answer">What came.</param>
    /// <param name="counter">Of the call that it came in answer to: an order that was recorded on its way to an earlier call is not taken.</param>
    public static bool TryAccept(ReadOnlySpan<byte> answer, long counter, ECDsa appliance, string nodeId, [NotNullWhen(true)] out OrderDocument? order, out OrderDefect defect)
    {
        order = null;
        if (!TryOpen(answer, out var bytes, out var signature, out var freshness)) return Fail(OrderDefect.NotAnEnvelope, out defect);
        if (signature.Length != AgentSignature.SignatureLength || !appliance.VerifyData(bytes, signature, HashAlgorithmName.SHA256))
            return Fail(OrderDefect.BadSignature, out defect);
        if (freshness.Length != AgentSignature.SignatureLength || !appliance.VerifyData(AgentSignature.FreshText(nodeId, counter, bytes), freshness, HashAlgorithmName.SHA256))
            return Fail(OrderDefect.NotFresh, out defect);
        var document = Parse(bytes);
        if (document is not { Id.Length: > 0 and <= MaximumIdLength }) return Fail(OrderDefect.NotAnOrder, out defect);
        if (document.NodeId != nodeId) return Fail(OrderDefect.OtherNode, out defect);
        order = document;
        defect = OrderDefect.None;
        return true;
    }

    static bool TryOpen(ReadOnlySpan<byte> answer, out byte[] order, out byte[] signature, out byte[] freshness)
    {
        order = signature = freshness = [];
        try
        {
            var envelope = JsonSerializer.Deserialize(answer, ReadJson.Default.OrderEnvelope);
            if (envelope is null) return false;
            order = Convert.FromBase64String(envelope.Order);
            signature = Convert.FromBase64String(envelope.Signature);
            freshness = Convert.FromBase64String(envelope.Freshness ?? "");
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return false;
        }
    }

    static OrderDocument? Parse(byte[] bytes)
    {
        try { return JsonSerializer.Deserialize(bytes, ReadJson.Default.OrderDocument); }
        catch (JsonException) { return null; }
    }

    static bool Fail(OrderDefect what, out OrderDefect defect)
    {
        defect = what;
        return false;
    }
}
