using System.Threading.Channels;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Consoles;

/// <summary>Somebody who looks at a console, and may type when it is theirs.</summary>
sealed class ConsoleViewer : IDisposable
{
    /// <summary>Pieces a slow viewer may lag behind. The oldest are dropped then: a screen is for now, the record has everything.</summary>
    const int Backlog = 1024;

    readonly Channel<ConsoleEntry> entries = Channel.CreateBounded<ConsoleEntry>(new BoundedChannelOptions(Backlog) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    readonly ConsoleSession session;

    internal ConsoleViewer(ConsoleSession session, string who) => (this.session, Who) = (session, who);

    public string Who { get; }

    /// <summary>The recent past first, then what comes. Marks say who took the console and when the line was lost.</summary>
    public ChannelReader<ConsoleEntry> Entries => entries.Reader;

    public ValueTask<TypeResult> TypeAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) => session.TypeAsync(this, octets, cancellationToken);

    public ValueTask<TypeResult> SendBreakAsync(CancellationToken cancellationToken) => session.SendBreakAsync(this, cancellationToken);

    /// <summary>Makes this viewer the one who types; whoever was before sees that, and by whom.</summary>
    public void TakeOver() => session.TakeOver(this);

    public void Dispose()
    {
        session.Leave(this);
        entries.Writer.TryComplete();
    }

    internal void Show(in ConsoleEntry entry) => entries.Writer.TryWrite(entry);
}

enum TypeResult
{
    Typed,
    /// <summary>Somebody else types here: take over first.</summary>
    NotYours,
    /// <summary>The line is down at the moment.</summary>
    NotConnected,
    /// <summary>This port cannot do that (a break, on a port without one).</summary>
    Unsupported,
}
