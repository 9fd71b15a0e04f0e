using System.Threading.Channels;
using GridAppliance.Hosting;
using GridAppliance.Power.Ipmi;

namespace GridAppliance.Consoles.Ipmi;

/// <summary>A node's console through its BMC, as serial over LAN in the session that power commands use too.</summary>
sealed class SolConsolePort(IpmiBmc bmc) : IConsolePort
{
    public string Name => bmc.Address.ToString();

    public async Task<IConsole> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new SolConsole(bmc.Owner, await bmc.Owner.EnqueueAsync(new OpenErrand(), cancellationToken));
        }
        catch (DeviceException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    sealed class OpenErrand : Errand<SolLine>
    {
        protected override Task<SolLine> DoAsync(BmcOwner owner) => owner.ActivateConsoleAsync();
    }

    sealed class CloseErrand(SolLine line) : Errand<bool>
    {
        protected override async Task<bool> DoAsync(BmcOwner owner)
        {
            await owner.DeactivateConsoleAsync(line);
            return true;
        }
    }

    sealed class SolConsole(BmcOwner owner, SolLine line) : IConsole, ISerialBreak
    {
        ReadOnlyMemory<byte> rest;

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                // What is there is read by one who gives up, too: it has been acknowledged.
                if (rest.IsEmpty) rest = line.Incoming.TryRead(out var first) ? first : await line.Incoming.ReadAsync(cancellationToken);
            }
            catch (ChannelClosedException e)
            {
                throw new IOException(e.InnerException?.Message ?? "the console is closed", e);
            }
            // All that has come meanwhile is one reading.
            var count = Give(buffer.Span);
            while (rest.IsEmpty && line.Incoming.TryRead(out var piece))
            {
                rest = piece;
                count += Give(buffer.Span[count..]);
            }
            return count;
        }

        int Give(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, rest.Length);
            rest.Span[..count].CopyTo(buffer);
            rest = rest[count..];
            return count;
        }

        public ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) => octets.IsEmpty ? ValueTask.CompletedTask : SendAsync(octets.ToArray(), cancellationToken);

        public ValueTask SendBreakAsync(CancellationToken cancellationToken) => SendAsync(default, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            try
            {
                await owner.EnqueueAsync(new CloseErrand(line), CancellationToken.None);
            }
            catch (Exception e) when (e is DeviceException or ObjectDisposedException)
            {
                // A console that cannot be given back is taken by whoever opens it next.
            }
        }

        /// <summary>A writer that gives up leaves its characters to be sent: what was typed may be half out already.</summary>
        async ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
        {
            var typing = new SolLine.Typing(octets);
            try
            {
                await line.Outgoing.WriteAsync(typing, cancellationToken);
            }
            catch (ChannelClosedException e)
            {
                throw new IOException(e.InnerException?.Message ?? "the console is closed", e);
            }
            owner.Poke();
            await typing.Done.Task.WaitAsync(cancellationToken);
        }
    }
}
