using System.Collections.Concurrent;
using System.Collections.Frozen;
using GridAppliance.Hosting;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Ports;
using GridAppliance.Power.Redfish;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Power.Discovery;

/// <summary>The BMCs that the appliance has ports to. Each has an owner, and nobody else sends it anything: what a scan wants to know of one is asked through that owner, when it is its turn.</summary>
sealed class OwnedBmcs(NodePorts ports, TimeProvider time)
{
    const int AtOnce = 64;

    /// <summary>How long one may be busy with something else; then its port's state says whether it is there.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>The ports of each address, the preferred one first.</summary>
    public FrozenDictionary<Ipv4Address, IReadOnlyList<NodePort>> ByAddress() => ports.Current.ByAddress.Values
        .Where(port => port.Scheme.Kind == PortKind.Bmc && Ipv4Address.From(ports.PlaceOf(port)) is not null)
        .GroupBy(port => Ipv4Address.From(ports.PlaceOf(port))!.Value)
        .ToFrozenDictionary(group => group.Key, group => (IReadOnlyList<NodePort>)[.. group.OrderBy(port => port.Scheme.Rank)]);

    public IReadOnlySet<Ipv4Address> Addresses() => ByAddress().Keys.ToFrozenSet();

    /// <summary>Those in <paramref name="range"/> that are there, and what they say of themselves.</summary>
    public async Task<IReadOnlyList<FoundBmc>> AskAsync(Ipv4Range range, CancellationToken cancellationToken)
    {
        var found = new ConcurrentBag<FoundBmc>();
        await Parallel.ForEachAsync(ByAddress().Where(bmc => range.Contains(bmc.Key)), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (owned, token) =>
        {
            FoundBmc? bmc = null;
            foreach (var port in owned.Value) bmc = await AskAsync(port, bmc ?? new FoundBmc(owned.Key), token) ?? bmc;
            if (bmc is not null) found.Add(bmc);
        });
        return [.. found];
    }

    /// <summary>Null when it does not answer.</summary>
    async Task<FoundBmc?> AskAsync(NodePort port, FoundBmc so, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var isRedfish = port.Scheme.Driver == typeof(RedfishBmc);
        try
        {
            switch (await ports.OpenAsync(port, either.Token))
            {
                case IpmiBmc ipmi:
                    return await ipmi.AskForCapabilitiesAsync(either.Token) is { } can ? so.With(can) : so with { SpeaksIpmi = true };
                case RedfishBmc redfish:
                    return so.With(await redfish.ReadRootAsync(either.Token));
                case var other:
                    throw new InvalidOperationException($"a BMC of no known kind: {other}");
            }
        }
        catch (DeviceException e)
        {
            // One that refuses the account, or has no time, is there.
            return e.Fault is DeviceFault.Unreachable or DeviceFault.TimedOut or DeviceFault.Unsupported ? null : Barely();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ports.StateOf(port).Health is PortHealth.Answers or PortHealth.Refused ? Barely() : null;
        }
        catch (ObjectDisposedException)
        {
            // Its account is being changed.
            return Barely();
        }

        FoundBmc Barely() => isRedfish ? so with { Redfish = so.Redfish ?? "?" } : so with { SpeaksIpmi = true };
    }
}
