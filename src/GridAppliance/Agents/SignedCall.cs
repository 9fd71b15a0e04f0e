using System.Buffers;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Agents;

/// <summary>Who made a signed call, and what it said; or why it is not believed.</summary>
readonly record struct SignedCall(Node? Node, byte[] Body, long Counter, string? Refusal)
{
    /// <summary>Reads the body and checks header, key, counter and signature. The clock plays no part.</summary>
    public static async Task<SignedCall> ReadAsync(HttpContext context, NodeDirectory nodes, AgentSessions sessions, CancellationToken cancellationToken)
    {
        if (!AgentSignature.TryParseHeader(context.Request.Headers[AgentSignature.HeaderName], out var call)) return Refused($"the {AgentSignature.HeaderName} header is missing or not understood");
        // Before the body is read: a stranger costs nothing.
        if (!Guid.TryParseExact(call.NodeId, "D", out var id) || nodes.Current.Find(id) is not { } node) return Refused("the appliance knows no such node");
        if (await AgentBody.ReadAsync(context, cancellationToken) is not { } body) return Refused("the body is too large");
        var request = context.Request;
        var text = AgentSignature.CallText(request.Method, $"{request.Path}{request.QueryString}", call.NodeId, call.Counter, body);
        return sessions.Verify(node, text, call.Counter, call.Signature.Span) ? new(node, body, call.Counter, null) : Refused("the signature does not match, or the call was made before");
    }

    static SignedCall Refused(string reason) => new(null, [], 0, reason);
}

/// <summary>A request's body, whole and bounded.</summary>
static class AgentBody
{
    /// <summary>An inventory with hundreds of disks stays far below.</summary>
    public const int Longest = 1 << 20;

    /// <returns>Null when it is longer than <see cref="Longest"/>.</returns>
    public static async Task<byte[]?> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Request.ContentLength > Longest) return null;
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            if (result.Buffer.Length > Longest) return null;
            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
