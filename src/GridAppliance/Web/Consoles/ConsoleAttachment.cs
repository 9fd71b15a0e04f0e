using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Api.Consoles;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Web.Consoles;

/// <summary>
/// One viewer over a WebSocket (RFC 6455): binary frames are octets both ways, text frames are <see cref="ConsoleMessage"/> and <see cref="ConsoleRequest"/>. A viewer that does not read
/// falls behind in <see cref="ConsoleViewer"/>, and holds up nobody; one whose typing the node does not take is not read from, so that a paste waits in its sender instead of here.
/// </summary>
sealed class ConsoleAttachment(WebSocket socket, ConsoleViewer viewer, bool mayType) : IDisposable
{
    const int LargestPiece = 16 * 1024;
    const int LargestRequest = 1024;

    static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    readonly SemaphoreSlim sending = new(1, 1);
    bool mayType = mayType;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var showing = ShowAsync(ending.Token);
        var hearing = HearAsync(ending.Token);
        if (await Task.WhenAny(showing, hearing) == showing) await CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the console was taken from the node, or the appliance stops");
        // The other side's farewell is waited for: cancelling a receive aborts the connection, and ours might not get out.
        ending.CancelAfter(Farewell);
        await Quietly(hearing);
        await ending.CancelAsync();
        await Quietly(showing);
    }

    public void Dispose()
    {
        viewer.Dispose();
        sending.Dispose();
    }

    async Task ShowAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestPiece];
        ConsoleMessage? told = null;
        if (mayType) viewer.Claim();
        await TellStateAsync();
        while (true)
        {
            var entry = await viewer.ReadAsync(cancellationToken);
            while (true)
            {
                var next = default(ConsoleEntry?);
                if (entry.Kind == ConsoleEntryKind.Output) next = await SendOutputAsync(entry);
                else if (entry.Octets.IsEmpty) await TellStateAsync();
                else
                {
                    await TellAsync(new() { Type = ConsoleMessage.Mark, At = entry.At, Text = Encoding.UTF8.GetString(entry.Octets.Span) }, cancellationToken);
                    await TellStateAsync();
                }
                if (next is null) break;
                entry = next.Value;
            }
        }

        // Many small pieces that are there already go out as one; what is no output comes back.
        async Task<ConsoleEntry?> SendOutputAsync(ConsoleEntry first)
        {
            var rest = first.Octets;
            while (rest.Length > buffer.Length)
            {
                await SendAsync(rest[..buffer.Length], WebSocketMessageType.Binary, cancellationToken);
                rest = rest[buffer.Length..];
            }
            rest.CopyTo(buffer);
            var length = rest.Length;
            ConsoleEntry? left = null;
            while (left is null && viewer.TryRead(out var more))
            {
                if (more.Kind != ConsoleEntryKind.Output || length + more.Octets.Length > buffer.Length) left = more;
                else
                {
                    more.Octets.CopyTo(buffer.AsMemory(length));
                    length += more.Octets.Length;
                }
            }
            await SendAsync(buffer.AsMemory(0, length), WebSocketMessageType.Binary, cancellationToken);
            return left;
        }

        async Task TellStateAsync()
        {
            var (connected, port, writer, viewers) = viewer.State;
            var state = new ConsoleMessage { Type = ConsoleMessage.State, Connected = connected, Port = port, Writer = writer, You = viewer.IsWriter, Viewers = viewers };
            if (state == told) return;
            told = state;
            await TellAsync(state, cancellationToken);
        }
    }

    async Task HearAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestPiece];
        var request = 0;
        while (true)
        {
            var heard = await socket.ReceiveAsync(buffer.AsMemory(request), cancellationToken);
            switch (heard.MessageType)
            {
                case WebSocketMessageType.Close:
                    await CloseAsync(WebSocketCloseStatus.NormalClosure, null);
                    return;
                case var _ when socket.State == WebSocketState.CloseSent:
                    // Whatever was under way when we said farewell.
                    request = 0;
                    break;
                case WebSocketMessageType.Binary:
                    await AnswerAsync(await TypeAsync(buffer.AsMemory(request, heard.Count), cancellationToken), cancellationToken);
                    break;
                case WebSocketMessageType.Text:
                    request += heard.Count;
                    if (request > LargestRequest)
                    {
                        await CloseAsync(WebSocketCloseStatus.MessageTooBig, "a request is short");
                        request = 0;
                        break;
                    }
                    if (!heard.EndOfMessage) break;
                    await AnswerAsync(await DoAsync(Read(buffer.AsSpan(0, request)), cancellationToken), cancellationToken);
                    request = 0;
                    break;
            }
        }
    }

    ValueTask<TypeResult> TypeAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) =>
        octets.IsEmpty ? new(TypeResult.Typed) : mayType ? viewer.TypeAsync(octets, cancellationToken) : new(TypeResult.NotYours);

    async ValueTask<TypeResult> DoAsync(ConsoleRequest? request, CancellationToken cancellationToken)
    {
        switch (request)
        {
            case { Type: ConsoleRequest.Claim }:
                return (mayType = viewer.Claim()) ? TypeResult.Typed : TypeResult.NotYours;
            case { Type: ConsoleRequest.TakeOver }:
                viewer.TakeOver();
                mayType = true;
                return TypeResult.Typed;
            case { Type: ConsoleRequest.Release }:
                mayType = false;
                viewer.Release();
                return TypeResult.Typed;
            case { Type: ConsoleRequest.Break }:
                return mayType ? await viewer.SendBreakAsync(default, cancellationToken) : TypeResult.NotYours;
            case { Type: ConsoleRequest.SysRq, Key: [var key] } when char.IsAsciiLetterOrDigit(key):
                return mayType ? await viewer.SendBreakAsync(new[] { (byte)key }, cancellationToken) : TypeResult.NotYours;
            case { Type: ConsoleRequest.Resize, Columns: > 0 and <= 1000 and var columns, Rows: > 0 and <= 1000 and var rows }:
                viewer.Resize(new((ushort)columns, (ushort)rows));
                return TypeResult.Typed;
            default:
                return TypeResult.Unsupported;
        }
    }

    Task AnswerAsync(TypeResult result, CancellationToken cancellationToken) => result switch
    {
        TypeResult.Typed => Task.CompletedTask,
        TypeResult.NotYours => RefuseAsync(viewer.State.Writer is { } writer ? $"{writer} types here: take over first" : "you only look: claim the console first", cancellationToken),
        TypeResult.NotConnected => RefuseAsync("the line is down at the moment", cancellationToken),
        TypeResult.Unsupported => RefuseAsync("this console cannot do that", cancellationToken),
    };

    Task RefuseAsync(string why, CancellationToken cancellationToken) => TellAsync(new() { Type = ConsoleMessage.Refused, Text = why }, cancellationToken);

    static ConsoleRequest? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ApiJson.Default.ConsoleRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    Task TellAsync(ConsoleMessage message, CancellationToken cancellationToken) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, ApiJson.Default.ConsoleMessage), WebSocketMessageType.Text, cancellationToken);

    async Task SendAsync(ReadOnlyMemory<byte> octets, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(octets, type, endOfMessage: true, cancellationToken);
        }
        finally
        {
            sending.Release();
        }
    }

    async Task CloseAsync(WebSocketCloseStatus status, string? why)
    {
        using var patience = new CancellationTokenSource(Farewell);
        try
        {
            await socket.CloseOutputAsync(status, why, patience.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or InvalidOperationException or ObjectDisposedException)
        {
            // It is gone already, or does not read.
        }
    }

    static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ChannelClosedException or ObjectDisposedException)
        {
            // The ordinary ways for a viewer to leave.
        }
    }
}
