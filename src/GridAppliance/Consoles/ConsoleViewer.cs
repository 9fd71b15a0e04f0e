using System.Text;
using System.Threading.Channels;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Consoles;

/// <summary>Somebody who looks at a console, and may type when it is theirs. One task reads it.</summary>
sealed class ConsoleViewer : IDisposable
{
    /// <summary>How far a slow viewer may lag behind. The oldest is passed over then, with a word in its place: a screen is for now, the record has everything.</summary>
    const int Backlog = 512 * 1024;

    /// <summary>What an entry costs beside its octets.</summary>
    const int EntryCost = 64;

    // Bounded by octets rather than by entries (Show), since one entry is a key's echo and another a screenful.
    readonly Channel<ConsoleEntry> entries = Channel.CreateUnbounded<ConsoleEntry>();
    readonly ConsoleSession session;
    int queued;
    long passedOver;

    internal ConsoleViewer(ConsoleSession session, string who) => (this.session, Who) = (session, who);

    public string Who { get; }

    public ConsoleState State => session.State;

    public bool IsWriter => session.IsWriter(this);

    /// <summary>
    /// The recent past first, then what comes. Marks say who took the console and when the line was lost; a mark without text says only that <see cref="State"/> may have changed.
    /// </summary>
    /// <exception cref="ChannelClosedException">The console is taken from the node, or the appliance stops.</exception>
    public async ValueTask<ConsoleEntry> ReadAsync(CancellationToken cancellationToken)
    {
        await entries.Reader.WaitToReadAsync(cancellationToken);
        if (Interlocked.Exchange(ref passedOver, 0) is > 0 and var missed)
            return new(ConsoleEntryKind.Mark, session.Now, Encoding.UTF8.GetBytes($"{missed} octets were passed over: this viewer is too slow; the record has them"));
        var entry = await entries.Reader.ReadAsync(cancellationToken);
        Interlocked.Add(ref queued, -Cost(entry));
        return entry;
    }

    /// <summary>What is there already, without waiting.</summary>
    public bool TryRead(out ConsoleEntry entry)
    {
        entry = default;
        if (Volatile.Read(ref passedOver) > 0 || !entries.Reader.TryRead(out entry)) return false;
        Interlocked.Add(ref queued, -Cost(entry));
        return true;
    }

    public ValueTask<TypeResult> TypeAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) => session.TypeAsync(this, octets, sendBreak: false, cancellationToken);

    /// <summary>A serial break, and at once the octets that give it its meaning: a SysRq key, or none.</summary>
    public ValueTask<TypeResult> SendBreakAsync(ReadOnlyMemory<byte> after, CancellationToken cancellationToken) => session.TypeAsync(this, after, sendBreak: true, cancellationToken);

    /// <summary>How large its terminal is. The node hears of it while this viewer is the one who types.</summary>
    public void Resize(TerminalSize size) => session.Resize(this, size);

    /// <summary>Null: it has not said. Kept by the session.</summary>
    internal TerminalSize? Size { get; set; }

    /// <summary>Makes this viewer the one who types if nobody else is; tells whether it is now.</summary>
    public bool Claim() => session.Claim(this);

    /// <summary>Makes this viewer the one who types; whoever was before sees that, and by whom.</summary>
    public void TakeOver() => session.TakeOver(this);

    /// <summary>Types no more, and lets others.</summary>
    public void Release() => session.Release(this);

    public void Dispose()
    {
        session.Leave(this);
        End();
    }

    internal void End() => entries.Writer.TryComplete();

    /// <summary>Never waits: a slow viewer does not hold the recorder up.</summary>
    internal void Show(in ConsoleEntry entry)
    {
        Interlocked.Add(ref queued, Cost(entry));
        entries.Writer.TryWrite(entry);
        while (Volatile.Read(ref queued) > Backlog && entries.Reader.TryRead(out var oldest))
        {
            Interlocked.Add(ref queued, -Cost(oldest));
            Interlocked.Add(ref passedOver, oldest.Octets.Length);
        }
    }

    static int Cost(in ConsoleEntry entry) => entry.Octets.Length + EntryCost;
}

/// <summary>A console as its viewers see it.</summary>
/// <param name="Connected">The line is open.</param>
/// <param name="Port">Where it goes.</param>
/// <param name="Writer">Who types; null when nobody does.</param>
/// <param name="Viewers">How many look, the writer among them.</param>
readonly record struct ConsoleState(bool Connected, string Port, string? Writer, int Viewers);

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
