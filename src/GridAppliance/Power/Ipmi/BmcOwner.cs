using System.Net;
using System.Threading.Channels;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Ipmi;

/// <summary>
/// The one task that talks to a BMC. Callers put errands into its queue; it does them one after the other, so that a BMC never has two requests at
/// once, keeps the session open between them, and stays away for a while from a BMC that does not answer or does not know the password.
/// What the BMC sends is looked at on the thread that read it, which acknowledges what a console said and wakes the owner for anything else.
/// </summary>
sealed partial class BmcOwner : IAsyncDisposable, DeviceSocket.ITurnEnd
{
    /// <summary>Errands that may wait. Full: the caller waits, with its own token; a slow BMC slows those who ask it and nobody else.</summary>
    const int QueueLength = 64;

    readonly Channel<Errand> errands = Channel.CreateBounded<Errand>(new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    readonly Bell bell = new();
    readonly IpmiSocket socket;
    readonly SocketAddress address;
    /// <summary>Held by the owner and by the thread that reads the socket around what both touch: the session, the console, and the request that waits for its answer. Only the owner opens and ends them.</summary>
    readonly Lock gate = new();
    readonly TimeProvider clock;
    readonly IpmiTimings timings;
    readonly ILogger logger;
    readonly string device;
    readonly ITimer timer;
    readonly CircuitBreaker breaker;
    readonly RateLimit limit;
    /// <summary>For the console's acknowledgements. Behind the gate.</summary>
    readonly RateLimit thanks;
    readonly Task running;
    volatile bool stopping;

    public BmcOwner(IPEndPoint bmc, PortCredentials credentials, IpmiSocket socket, IpmiTimings timings, TimeProvider clock, ILogger logger)
    {
        device = $"ipmi://{bmc}";
        this.credentials = credentials;
        this.socket = socket;
        this.timings = timings;
        this.clock = clock;
        this.logger = logger;
        breaker = new(timings.BreakAfter, timings.FirstBreak, timings.LongestBreak, clock);
        limit = new(timings.Rate, timings.Burst, clock);
        thanks = new(timings.SolPackets, timings.SolBurst, clock);
        timer = clock.CreateTimer(static state => ((Bell)state!).Ring(), bell, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Last: what arrives from here on finds everything in its place.
        address = socket.Attach(bmc, Take);
        running = Task.Run(RunAsync);
    }

    /// <summary>Does one command and gives its completion code and answer.</summary>
    public Task<IpmiAnswer<T>> TryAskAsync<T>(IpmiRequest<T> request, CancellationToken cancellationToken) => EnqueueAsync(new CommandErrand<T>(request), cancellationToken);

    /// <summary>Does one command; any completion code but "ok" is a <see cref="DeviceException"/>.</summary>
    public async Task<T> AskAsync<T>(IpmiRequest<T> request, CancellationToken cancellationToken)
    {
        var answer = await TryAskAsync(request, cancellationToken);
        return answer.Code == CompletionCode.Ok ? answer.Value! : throw Refusal(request, answer.Code);
    }

    public async Task<T> EnqueueAsync<T>(Errand<T> errand, CancellationToken cancellationToken)
    {
        var completion = errand.Completion(cancellationToken);
        try
        {
            await errands.Writer.WriteAsync(errand, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            errand.Fail(new ObjectDisposedException(device));
        }
        bell.Ring();
        return await completion;
    }

    public async ValueTask DisposeAsync()
    {
        stopping = true;
        errands.Writer.TryComplete();
        bell.Ring();
        await running;
        timer.Dispose();
        socket.Detach(address);
    }

    public TimeProvider Clock => clock;

    public DeviceException Nonsense(string message) => new(DeviceFault.Nonsense, device, message, isTransient: true);

    public DeviceException Refusal(IpmiRequest request, CompletionCode code)
    {
        var fault = code switch
        {
            CompletionCode.InvalidCommand or CompletionCode.InvalidForLun or CompletionCode.SubfunctionDisabled => DeviceFault.Unsupported,
            CompletionCode.NodeBusy or CompletionCode.Timeout or CompletionCode.OutOfSpace or CompletionCode.SdrUpdating or CompletionCode.FirmwareUpdating or CompletionCode.Initializing => DeviceFault.Busy,
            _ => DeviceFault.Refused,
        };
        return new(fault, device, $"{request.GetType().Name} was refused: {(Enum.IsDefined(code) ? code.ToString() : "code")} ({(byte)code:x2}h)", isTransient: fault == DeviceFault.Busy);
    }

    async Task RunAsync()
    {
        try
        {
            while (!stopping)
            {
                PumpConsole();
                if (ConsoleCheckIsDue) await CheckConsoleAsync();
                else if (errands.Reader.TryRead(out var errand)) await ServeAsync(errand);
                else await RestAsync();
            }
        }
        finally
        {
            while (errands.Reader.TryRead(out var errand)) errand.Fail(new ObjectDisposedException(device));
            CloseSession();
        }
    }

    async Task ServeAsync(Errand errand)
    {
        if (errand.IsAbandoned) return;
        if (WhyHopeless() is { } reason)
        {
            errand.Fail(reason);
            return;
        }
        try
        {
            await errand.RunAsync(this);
            breaker.Succeeded();
        }
        catch (DeviceException e)
        {
            if (e.Fault is DeviceFault.Unreachable or DeviceFault.TimedOut or DeviceFault.Busy)
            {
                breaker.Failed(Random.Shared.NextDouble());
                if (breaker.IsOpen) LogCircuitOpen(device, breaker.Until, e.Message);
            }
            errand.Fail(e);
        }
        catch (Exception e)
        {
            // Our own bug, in one errand: the caller gets it, the BMC keeps its owner.
            errand.Fail(e);
        }
    }

    /// <summary>Nothing is sent to a BMC that has refused the account or has been silent too often.</summary>
    DeviceException? WhyHopeless()
    {
        if (refused is not null) return RefusedAccount(refused);
        return breaker.IsOpen ? new(DeviceFault.Unreachable, device, $"does not answer; left alone until {breaker.Until:HH:mm:ss}", isTransient: true) : null;
    }

    /// <summary>Nothing to do: wait for an errand or a datagram, keep the session alive, or give it back.</summary>
    async Task RestAsync()
    {
        if (session is null)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            await bell.WaitAsync();
            return;
        }
        // An open console is a use that never ends.
        var unused = console is null ? clock.GetElapsedTime(session.LastUse) : TimeSpan.Zero;
        var unheard = clock.GetElapsedTime(session.LastHeard);
        if (unused >= timings.IdleClose) { CloseSession(); return; }
        if (unheard >= timings.KeepAlive) { await KeepAliveAsync(session); return; }
        timer.Change(Soonest(Soonest(timings.KeepAlive - unheard, timings.IdleClose - unused), ConsoleDue), Timeout.InfiniteTimeSpan);
        // What fell due while that was reckoned is not waited for.
        if (ConsoleDue != TimeSpan.Zero) await bell.WaitAsync();
    }

    async Task KeepAliveAsync(IpmiSession kept)
    {
        try
        {
            var exchange = new CommandExchange(new GetDeviceId(), NextSequence(), kept);
            if (!await ExchangeAsync(exchange, timings.Attempts)) DropSession();
        }
        catch (DeviceException)
        {
            // Nobody asked for anything: the next errand opens a new session and says what is wrong.
            DropSession();
        }
        catch (ObjectDisposedException) when (stopping)
        {
            // The session is given back at the end of the loop.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} is left alone until {Until}: {Reason}")]
    partial void LogCircuitOpen(string device, DateTimeOffset until, string reason);
}
