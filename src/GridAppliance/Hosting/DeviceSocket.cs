using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Hosting;

/// <summary>
/// UDP to many devices at once: one socket (a second one, once there is a device with an IPv6 address) and one thread that reads it, so that a thousand devices are one descriptor. What arrives is handled where
/// it was read, from the socket to the answer, with no task woken for it; what is sent meanwhile goes when all that had arrived was handled.
/// </summary>
sealed partial class DeviceSocket : IAsyncDisposable
{
    /// <summary>Room for the answers of a thousand devices in the same instant.</summary>
    const int SocketBuffer = 4 << 20;
    /// <summary>Datagrams that are read or sent in one call at most, as far as they fit in <see cref="TurnOctets"/>.</summary>
    const int Turn = 256;
    const int TurnOctets = 512 << 10;

    /// <summary>How long datagrams may gather while many come. Each waking costs as much as several datagrams, and nobody waits for one of them for less than this.</summary>
    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);
    /// <summary>The same while somebody lets an answer wait of his own accord: longer than all of them wait it is not.</summary>
    static readonly TimeSpan UnhurriedGathering = TimeSpan.FromMilliseconds(4);
    static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(1);
    /// <summary>A mistake of ours that comes again at once is not to take the processor whole.</summary>
    static readonly TimeSpan AfterMistake = TimeSpan.FromMilliseconds(50);

    readonly Lock opening = new();
    readonly Way four;
    Way? six;
    readonly string devices;
    readonly int largest;
    readonly Handler received;
    readonly ILogger logger;
    volatile bool stopping;

    /// <summary>Has something to do when all that was read together has been handled. Runs on a reading thread, and must be quick.</summary>
    public interface ITurnEnd
    {
        /// <summary>How long until it wants to be called again at the latest, which may be with the end of any turn before; what is over already is at once. Null when it is done.</summary>
        TimeSpan? EndTurn();
    }

    /// <summary>Takes a datagram; runs on a reading thread, and must be quick.</summary>
    public delegate void Handler(ReadOnlySpan<byte> datagram, SocketAddress sender);

    /// <param name="devices">What is at the other end, for logs and the thread's name.</param>
    /// <param name="largest">Octets of a datagram; longer ones are cut off.</param>
    /// <param name="received">Gets what arrives. One thread for each kind of address: it may be called by both at once.</param>
    /// <param name="logger">Hears of errors about single devices, after which reading goes on.</param>
    public DeviceSocket(string devices, int largest, Handler received, ILogger logger)
    {
        (this.devices, this.largest, this.received, this.logger) = (devices, largest, received, logger);
        four = new(this, AddressFamily.InterNetwork);
    }

    /// <summary>Sees to it that devices of this kind of address can be sent to.</summary>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public void Reach(AddressFamily family)
    {
        if (family != AddressFamily.InterNetworkV6) return;
        lock (opening) six ??= new(this, AddressFamily.InterNetworkV6);
    }

    /// <summary>Sends a datagram; from inside the handler, when what was read together has been handled, and then errors are as good as a loss on the way.</summary>
    /// <exception cref="SocketException">No route, or no permission.</exception>
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => (to.Family == AddressFamily.InterNetwork ? four : six!).Send(datagram, to);

    /// <summary>From inside the handler: calls <paramref name="last"/> when what was read together has been handled and answered, and again for as long as it wants to be. It may send.</summary>
    public void AtTurnEnd(AddressFamily family, ITurnEnd last) => (family == AddressFamily.InterNetwork ? four : six!).AtTurnEnd(last);

    public ValueTask DisposeAsync()
    {
        stopping = true;
        four.Dispose();
        six?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A socket of one address family, and the thread that reads it.</summary>
    sealed class Way : IDisposable
    {
        readonly DeviceSocket owner;
        readonly Socket socket;
        readonly Thread reader;
        readonly DatagramBatch arriving, leaving;
        readonly List<ITurnEnd> last = [];

        public Way(DeviceSocket owner, AddressFamily family)
        {
            this.owner = owner;
            var turn = Math.Clamp(TurnOctets / owner.largest, 1, Turn);
            (arriving, leaving) = (new(turn, owner.largest), new(turn, owner.largest));
            socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = SocketBuffer, SendBufferSize = SocketBuffer };
            try
            {
                socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
            }
            catch (SocketException)
            {
                socket.Dispose();
                throw;
            }
            reader = new Thread(Read) { Name = $"udp-{owner.devices}", IsBackground = true };
            reader.Start();
        }

        public void Send(ReadOnlySpan<byte> datagram, SocketAddress to)
        {
            if (Thread.CurrentThread == reader)
            {
                if (leaving.IsFull) leaving.Send(socket);
                if (leaving.TryAdd(datagram, to)) return;
            }
            socket.SendTo(datagram, SocketFlags.None, to);
        }

        public void AtTurnEnd(ITurnEnd one) => last.Add(one);

        public void Dispose()
        {
            // Ends the read that is under way.
            socket.Dispose();
            reader.Join();
        }

        void Read()
        {
            var sender = new SocketAddress(socket.AddressFamily);
            var pace = new ArrivalPace();
            var next = TimeSpan.Zero;
            while (!owner.stopping)
            {
                try
                {
                    if (last.Count == 0 || socket.Poll(next, SelectMode.SelectRead)) arriving.Receive(socket);
                    else arriving.Clear();
                    for (var i = 0; i < arriving.Count && !owner.stopping; i++) Hand(i, sender);
                    leaving.Send(socket);
                    next = EndTurn();
                    leaving.Send(socket);
                    // The machine's own time, as in the sleep: no policy hangs on it.
                    if (!pace.IsHighWith(arriving.Count, Environment.TickCount64) || arriving.IsFull) continue;
                    var gathering = last.Count == 0 ? Gathering : UnhurriedGathering;
                    Thread.Sleep(gathering);
                    next = next > gathering ? next - gathering : TimeSpan.Zero;
                }
                catch (Exception) when (owner.stopping)
                {
                    return;
                }
                catch (IOException e)
                {
                    // An ICMP error about one device must not end the reading for all of them.
                    owner.LogReceiveFailed(owner.devices, e.Message);
                }
                catch (Exception e)
                {
                    // On a thread of its own it would end the daemon.
                    owner.LogMistake(e, owner.devices);
                    Thread.Sleep(AfterMistake);
                }
            }
        }

        /// <summary>Calls all that want it, and keeps those that want it again; returns how long until the first of them does: zero at least, and no longer than the socket can wait.</summary>
        TimeSpan EndTurn()
        {
            var (kept, first) = (0, LongestTurn);
            for (var i = 0; i < last.Count; i++)
            {
                try
                {
                    if (last[i].EndTurn() is not { } wait) continue;
                    last[kept++] = last[i];
                    if (wait < first) first = wait;
                }
                catch (Exception e)
                {
                    owner.LogMistake(e, owner.devices);
                }
            }
            last.RemoveRange(kept, last.Count - kept);
            // Who reckons from the clock may have been overtaken by it.
            return first > TimeSpan.Zero ? first : TimeSpan.Zero;
        }

        void Hand(int index, SocketAddress sender)
        {
            try
            {
                arriving.CopySender(index, sender);
                owner.received(arriving[index], sender);
            }
            catch (Exception e)
            {
                // Our own mistake about one datagram must not end it either.
                owner.LogMistake(e, owner.devices);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Receiving from {Devices}: {Error}")]
    partial void LogReceiveFailed(string devices, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The appliance made a mistake about a datagram from {Devices}; the next ones are read")]
    partial void LogMistake(Exception e, string devices);
}
