using System.Threading.Channels;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;

namespace GridAppliance.Consoles;

/// <summary>Gives every node that has a port with a console its session, at start and whenever ports or nodes change; takes it back when the port goes.</summary>
sealed partial class ConsoleReconciler(ConsoleDirectory consoles, ConsoleFamily family, NodePorts ports, NodeDirectory nodes, TimeProvider time, ILogger<ConsoleReconciler> log) : BackgroundService
{
    /// <summary>What could not be done (a full disk) is tried again.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    // Only that something changed, not how often.
    readonly Channel<bool> pokes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly SemaphoreSlim turn = new(1, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Poke() => pokes.Writer.TryWrite(true);
        ports.Changed += Poke;
        nodes.Changed += Poke;
        try
        {
            while (true)
            {
                await ReconcileAsync(stoppingToken);
                using var interval = new CancellationTokenSource(Interval, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(interval.Token, stoppingToken);
                await ((Task)pokes.Reader.ReadAsync(either.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stoppingToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            ports.Changed -= Poke;
            nodes.Changed -= Poke;
        }
    }

    /// <summary>Whoever has changed a port calls it, and finds the console given or taken back when it returns.</summary>
    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await ReconcileInTurnAsync(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task ReconcileInTurnAsync(CancellationToken cancellationToken)
    {
        var have = consoles.Ports;
        var wanted = nodes.Current.Nodes.Select(node => (node.Id, Port: family.Of(node.Id))).Where(console => console.Port is not null).ToDictionary(console => console.Id, console => console.Port!);
        foreach (var node in have.Keys.Where(node => !wanted.ContainsKey(node))) await consoles.RemoveAsync(node, cancellationToken);
        foreach (var (node, port) in wanted.Where(console => have.GetValueOrDefault(console.Key) != console.Value.Name))
        {
            try
            {
                await consoles.AssignAsync(node, port, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogCannotRecord(port.Name, e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "the record of {Port} cannot be opened: {Reason}; it is tried again")]
    partial void LogCannotRecord(string port, string reason);
}
