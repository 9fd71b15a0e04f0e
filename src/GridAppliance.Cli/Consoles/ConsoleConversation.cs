using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Api.Consoles;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Consoles;

/// <summary>A person at a terminal and a node's console, until one of them leaves. Octets pass as they are, both ways; our own words stand on lines of their own.</summary>
/// <param name="node">Its name.</param>
/// <param name="terminal">Raw.</param>
/// <param name="socket">Attached.</param>
/// <param name="escape">The escape character; null for none.</param>
/// <param name="power">Carries out a power command and tells in a sentence how it went.</param>
sealed class ConsoleConversation(string node, RawTerminal terminal, WebSocket socket, byte? escape, Func<string, CancellationToken, Task<string>> power)
{
    readonly Lock writing = new();
    readonly SemaphoreSlim sending = new(1, 1);
    // Only that it changed, not how often.
    readonly Channel<bool> resizes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    string? writer;
    bool? connected;
    bool you;

    /// <param name="takeOver">Whoever types now does no longer.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Whether the person left, rather than the console.</returns>
    public async Task<bool> RunAsync(bool takeOver, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => resizes.Writer.TryWrite(true));
        resizes.Writer.TryWrite(true);
        Say(escape is { } key ? $"{node}: {ConsoleEscape.Name(key)} then ? for help, then q to leave" : $"{node}: no escape character; close the window to leave");
        if (takeOver) await AskAsync(new() { Type = ConsoleRequest.TakeOver }, cancellation);
        var showing = ShowAsync(ending.Token);
        var typing = TypeAsync(ending.Token);
        var sizing = TellSizesAsync(ending.Token);
        var first = await Task.WhenAny(showing, typing);
        await LeaveAsync();
        await ending.CancelAsync();
        await Task.WhenAll(Quietly(showing), Quietly(typing), Quietly(sizing));
        return first == typing;
    }

    async Task ShowAsync(CancellationToken cancellation)
    {
        var buffer = new byte[32 * 1024];
        var length = 0;
        while (true)
        {
            var heard = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
            switch (heard.MessageType)
            {
                case WebSocketMessageType.Binary:
                    lock (writing) terminal.Write(buffer.AsSpan(length, heard.Count));
                    break;
                case WebSocketMessageType.Text:
                    length += heard.Count;
                    if (!heard.EndOfMessage && length < buffer.Length) break;
                    Hear(buffer.AsSpan(0, length));
                    length = 0;
                    break;
                case WebSocketMessageType.Close:
                    Say(socket.CloseStatusDescription is { Length: > 0 } why ? why : "the appliance closed the console");
                    return;
            }
        }
    }

    void Hear(ReadOnlySpan<byte> json)
    {
        ConsoleMessage? message;
        try { message = JsonSerializer.Deserialize(json, ApiJson.Default.ConsoleMessage); }
        catch (JsonException) { return; }
        switch (message)
        {
            case { Type: ConsoleMessage.Mark or ConsoleMessage.Refused, Text: { } text }:
                Say(text);
                break;
            case { Type: ConsoleMessage.State }:
                if (connected is null && message.Connected == false) Say($"the line to {message.Port} is down; it is being tried");
                if (message.You != true && message.Writer is not null && message.Writer != writer) Say($"{message.Writer} types here; you look on (escape, then t: take over)");
                else if (message.You == true && !you && connected is not null) Say("you type here now");
                (connected, writer, you) = (message.Connected, message.Writer, message.You == true);
                break;
        }
    }

    async Task TypeAsync(CancellationToken cancellation)
    {
        var filter = new ConsoleEscape(escape);
        await foreach (var typed in terminal.Typed.ReadAllAsync(cancellation))
        {
            foreach (var action in filter.Feed(typed))
            {
                if (action is ConsoleAction.Quit) return;
                await DoAsync(action, cancellation);
            }
        }
    }

    async Task DoAsync(ConsoleAction action, CancellationToken cancellation)
    {
        switch (action)
        {
            case ConsoleAction.Type typed: await SendAsync(typed.Octets, WebSocketMessageType.Binary, cancellation); break;
            case ConsoleAction.Break: await AskAsync(new() { Type = ConsoleRequest.Break }, cancellation); break;
            case ConsoleAction.SysRq sysrq: await AskAsync(new() { Type = ConsoleRequest.SysRq, Key = sysrq.Key.ToString() }, cancellation); break;
            case ConsoleAction.TakeOver: await AskAsync(new() { Type = ConsoleRequest.TakeOver }, cancellation); break;
            case ConsoleAction.Release: await AskAsync(new() { Type = ConsoleRequest.Release }, cancellation); break;
            case ConsoleAction.Power wanted: Say(await power(wanted.Verb, cancellation)); break;
            case ConsoleAction.Ask ask: Say(ask.Question); break;
            case ConsoleAction.Help: Help(); break;
            case ConsoleAction.Unknown unknown: Say($"'{(unknown.Key is > 0x20 and < 0x7f ? ((char)unknown.Key).ToString() : $"\\x{unknown.Key:x2}")}' is no command here; ? lists them"); break;
        }
    }

    void Help()
    {
        var key = ConsoleEscape.Name(escape ?? ConsoleEscape.Default);
        foreach (var line in (string[])
        [
            $"{key} and then", "  q or .   leave", "  t        take over (who types now sees it)", "  r        let others type", "  b        send a break", "  s KEY    SysRq: a break and KEY",
            "  p        power: on, off, shut down, cycle, reset, status", $"  {key}   the character itself",
        ]) Say(line);
    }

    /// <summary>The terminal's size, at first and whenever it changes.</summary>
    async Task TellSizesAsync(CancellationToken cancellation)
    {
        await foreach (var _ in resizes.Reader.ReadAllAsync(cancellation))
            if (terminal.Size is var (columns, rows)) await AskAsync(new() { Type = ConsoleRequest.Resize, Columns = columns, Rows = rows }, cancellation);
    }

    Task AskAsync(ConsoleRequest request, CancellationToken cancellation) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.ConsoleRequest), WebSocketMessageType.Text, cancellation);

    async Task SendAsync(ReadOnlyMemory<byte> octets, WebSocketMessageType type, CancellationToken cancellation)
    {
        await sending.WaitAsync(cancellation);
        try { await socket.SendAsync(octets, type, endOfMessage: true, cancellation); }
        finally { sending.Release(); }
    }

    void Say(string text)
    {
        lock (writing) terminal.Write(Encoding.UTF8.GetBytes($"\r\n[{SafeText.Neutralise(text)}]\r\n"));
    }

    async Task LeaveAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try { await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token); }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException) { /* It is gone already. */ }
    }

    static async Task Quietly(Task task)
    {
        try { await task; }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ObjectDisposedException or IOException) { /* One of both has left. */ }
    }
}
