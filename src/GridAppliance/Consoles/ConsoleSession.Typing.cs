using System.Threading.Channels;

namespace GridAppliance.Consoles;

/// <summary>Who types, and the typing.</summary>
sealed partial class ConsoleSession
{
    // A paste goes out whole before the next one's key, and a SysRq key right after its break.
    readonly SemaphoreSlim typing = new(1, 1);
    // That something may have to be told, not how often.
    readonly Channel<bool> sizes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    internal bool IsWriter(ConsoleViewer viewer)
    {
        lock (gate) return writer == viewer;
    }

    internal void Leave(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (!viewers.Remove(viewer)) return;
            if (writer == viewer) writer = null;
            Nudge();
        }
    }

    internal bool Claim(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (writer is null) TakeOver(viewer);
            return writer == viewer;
        }
    }

    internal void TakeOver(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (writer == viewer || !viewers.Contains(viewer)) return;
            var before = writer?.Who;
            writer = viewer;
            Mark(before is null ? $"{viewer.Who} types" : $"{viewer.Who} took over from {before}");
        }
        sizes.Writer.TryWrite(true);
    }

    internal void Release(ConsoleViewer viewer)
    {
        lock (gate)
        {
            if (writer != viewer) return;
            writer = null;
            Mark($"{viewer.Who} types no more");
        }
    }

    internal async ValueTask<TypeResult> TypeAsync(ConsoleViewer viewer, ReadOnlyMemory<byte> octets, bool sendBreak, CancellationToken cancellationToken)
    {
        if (!Claim(viewer)) return TypeResult.NotYours;
        await typing.WaitAsync(cancellationToken);
        try
        {
            // Somebody may have taken over while an earlier paste was going out.
            if (!IsWriter(viewer)) return TypeResult.NotYours;
            if (Volatile.Read(ref line) is not { } open) return TypeResult.NotConnected;
            if (sendBreak)
            {
                if (open is not ISerialBreak serial) return TypeResult.Unsupported;
                await serial.SendBreakAsync(cancellationToken);
                Mark($"{viewer.Who} sent a break");
            }
            if (!octets.IsEmpty) await open.WriteAsync(octets, cancellationToken);
            return TypeResult.Typed;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return TypeResult.NotConnected;
        }
        finally
        {
            typing.Release();
        }
    }

    internal void Resize(ConsoleViewer viewer, TerminalSize size)
    {
        lock (gate) viewer.Size = size;
        sizes.Writer.TryWrite(true);
    }

    /// <summary>The node draws for the one who types: it hears of that one's window when the line opens, when another types, and when the window changes.</summary>
    async Task TellSizesAsync(IWindowSize window, CancellationToken cancellationToken)
    {
        TerminalSize? told = null;
        sizes.Writer.TryWrite(true);
        try
        {
            await foreach (var _ in sizes.Reader.ReadAllAsync(cancellationToken))
            {
                TerminalSize? size;
                lock (gate) size = writer?.Size;
                if (size is not { } wanted || size == told) continue;
                await window.ResizeAsync(wanted, cancellationToken);
                told = size;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The line is lost or given up: whoever reads it says so.
        }
    }
}
