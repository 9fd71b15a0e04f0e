namespace GridAppliance.Consoles;

/// <summary>Who types, and the typing.</summary>
sealed partial class ConsoleSession
{
    // A paste goes out whole before the next one's key, and a SysRq key right after its break.
    readonly SemaphoreSlim typing = new(1, 1);

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

    internal async ValueTask<TypeResult> ResizeAsync(ConsoleViewer viewer, int columns, int rows, CancellationToken cancellationToken)
    {
        if (!IsWriter(viewer)) return TypeResult.NotYours;
        if (Volatile.Read(ref line) is not { } open) return TypeResult.NotConnected;
        if (open is not IWindowSize window) return TypeResult.Unsupported;
        try
        {
            await window.ResizeAsync(columns, rows, cancellationToken);
            return TypeResult.Typed;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return TypeResult.NotConnected;
        }
    }
}
