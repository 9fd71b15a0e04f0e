using System.Runtime.InteropServices;
using System.Threading.Channels;
using GridAppliance.Native;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Consoles.Serial;

/// <summary>An open serial line. One thread waits for it in both directions, since a terminal's read can be neither cancelled nor awaited; it feeds one channel and is fed by another.</summary>
sealed class SerialLine : IConsole, ISerialBreak
{
    const int ReadSize = 4096;

    /// <summary>Linux takes a quarter of a second and more for a break at any speed.</summary>
    static readonly TimeSpan BreakLength = TimeSpan.FromMilliseconds(300);

    readonly string path;
    readonly SafeFileHandle line;
    readonly SafeFileHandle wake = Libc.OpenEvent();
    readonly TimeProvider time;
    readonly Thread thread;
    // Full means that the record's owner stands still; then the kernel's buffer and the line's flow control are next.
    readonly Channel<byte[]> incoming = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(64) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
    readonly Channel<Typing> outgoing = Channel.CreateBounded<Typing>(new BoundedChannelOptions(4) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    ReadOnlyMemory<byte> rest;
    volatile bool closing;

    sealed record Typing(ReadOnlyMemory<byte> Octets)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public SerialLine(string path, SafeFileHandle line, TimeProvider time)
    {
        (this.path, this.line, this.time) = (path, line, time);
        thread = new(Work) { Name = "serial " + Path.GetFileName(path), IsBackground = true };
        thread.Start();
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (rest.IsEmpty) rest = await incoming.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new IOException(e.InnerException?.Message ?? $"{path} is closed", e);
        }
        var count = Math.Min(buffer.Length, rest.Length);
        rest[..count].CopyTo(buffer);
        rest = rest[count..];
        return count;
    }

    /// <summary>A writer that gives up leaves its characters to be sent: what was typed may be half out already.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        var typing = new Typing(octets.ToArray());
        try
        {
            await outgoing.Writer.WriteAsync(typing, cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new IOException(e.InnerException?.Message ?? $"{path} is closed", e);
        }
        Wake();
        await typing.Done.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask SendBreakAsync(CancellationToken cancellationToken)
    {
        Libc.SetBreak(line, on: true);
        try
        {
            await Task.Delay(BreakLength, time, cancellationToken);
        }
        finally
        {
            Libc.SetBreak(line, on: false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        closing = true;
        incoming.Writer.TryComplete();
        Wake();
        await Task.Run(thread.Join);
        line.Dispose();
        wake.Dispose();
    }

    unsafe void Wake()
    {
        var one = 1L;
        Libc.Write(wake, (byte*)&one, sizeof(long));
    }

    void Work()
    {
        IOException? loss = null;
        Typing? typing = null;
        try
        {
            Converse(ref typing);
        }
        catch (IOException e)
        {
            loss = e;
        }
        catch (ChannelClosedException)
        {
            // Disposed of while it waited for its reader.
        }
        loss ??= new($"{path} is closed");
        incoming.Writer.TryComplete(loss);
        outgoing.Writer.TryComplete(loss);
        typing?.Done.TrySetException(loss);
        while (outgoing.Reader.TryRead(out var waiting)) waiting.Done.TrySetException(loss);
    }

    unsafe void Converse(ref Typing? typing)
    {
        var buffer = new byte[ReadSize];
        var typed = 0;
        var entries = stackalloc Libc.PollEntry[2];
        while (!closing)
        {
            if (typing is null && outgoing.Reader.TryRead(out typing)) typed = 0;
            entries[0] = new() { File = (int)line.DangerousGetHandle(), Events = (short)(Libc.POLLIN | (typing is null ? 0 : Libc.POLLOUT)) };
            entries[1] = new() { File = (int)wake.DangerousGetHandle(), Events = Libc.POLLIN };
            if (Libc.Poll(entries, 2, -1) < 0 && Marshal.GetLastPInvokeError() != Libc.EINTR) throw Libc.Failure(path);
            if (entries[1].Happened != 0) Drain();
            if ((entries[0].Happened & (Libc.POLLIN | Libc.POLLHUP | Libc.POLLERR)) != 0) Receive(buffer);
            if (typing is not null && (entries[0].Happened & Libc.POLLOUT) != 0 && Send(typing, ref typed)) typing = null;
        }
    }

    unsafe void Receive(byte[] buffer)
    {
        int count;
        fixed (byte* start = buffer) count = (int)Libc.Read(line, start, ReadSize);
        if (count > 0) incoming.Writer.WriteAsync(buffer[..count]).AsTask().GetAwaiter().GetResult();
        // Hung up: an adapter that was pulled reads as the end, or as an error.
        else if (count == 0) throw new IOException($"{path} was unplugged");
        else if (Marshal.GetLastPInvokeError() is not (Libc.EAGAIN or Libc.EINTR) and var error)
            throw error is Libc.EIO or Libc.ENXIO or Libc.ENODEV ? new IOException($"{path} was unplugged") : Libc.Failure(path);
    }

    /// <returns>Whether all of it is out.</returns>
    unsafe bool Send(Typing typing, ref int typed)
    {
        var octets = typing.Octets.Span[typed..];
        int count;
        fixed (byte* start = octets) count = (int)Libc.Write(line, start, (nuint)octets.Length);
        if (count < 0 && Marshal.GetLastPInvokeError() is not (Libc.EAGAIN or Libc.EINTR)) throw Libc.Failure(path);
        typed += Math.Max(0, count);
        if (typed < typing.Octets.Length) return false;
        typing.Done.TrySetResult();
        return true;
    }

    unsafe void Drain()
    {
        long count;
        Libc.Read(wake, (byte*)&count, sizeof(long));
    }
}
