using GridAppliance.Api.Ports;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;

namespace GridAppliance.Power.Discovery;

/// <summary>Makes machines of which only the BMC is known boot from the network: that is how they become nodes.</summary>
sealed class StrangerBoot(NodePorts ports, Timeline timeline, TimeProvider time)
{
    const int AtOnce = 64;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <param name="chosen">Ports; those that are somebody's are refused.</param>
    /// <param name="force">Restart machines that are on, too.</param>
    /// <param name="dryRun">Look, and do nothing.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<IReadOnlyList<ImportedPortDocument>> BootAsync(IReadOnlyList<NodePort> chosen, bool force, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var done = new ImportedPortDocument[chosen.Count];
        await Parallel.ForAsync(0, chosen.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, token) => done[i] = await OneAsync(chosen[i], force, dryRun, actor, token));
        return done;
    }

    async Task<ImportedPortDocument> OneAsync(NodePort port, bool force, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        if (ports.NodeOf(port) is { } owner) return Refused($"is {owner.Name}'s: boot that with `gridctl boot {owner.Name} --once net --power`");
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var state = await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), either.Token);
            if (state == PowerState.On && !force) return Refused("its machine is on, and somebody may be using it: say --force to restart it");
            if (dryRun) return Accepted($"is {PowerPlan.Word(state)}, and would boot from the network");
            var boots = "";
            // An outlet cannot say what to boot from, and leaves it to the firmware's own order.
            if (port.Scheme.Can(typeof(IBootOverride))) await ports.UseAsync<IBootOverride>(port, (device, token) => device.SetBootAsync(new(BootDevice.Network, BootFirmware.Uefi, IsPersistent: false), token), either.Token);
            else boots = "; what it boots from is its firmware's to say";
            await ports.UseAsync<IPowerControl>(port, (power, token) => power.SetPowerAsync(PowerAction.Cycle, token), either.Token);
            await timeline.AppendAsync(new NewEvent("port.boot", $"the machine behind {port.Address.OriginalString} boots from the network, as {actor} asked") { Actor = actor }, cancellationToken);
            return Accepted($"boots from the network{boots}");
        }
        catch (DeviceException e)
        {
            return Refused(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Refused($"did not answer within {Patience.TotalSeconds:0} s");
        }

        ImportedPortDocument Refused(string message) => new() { Address = port.Address.OriginalString, Accepted = false, Message = message };
        ImportedPortDocument Accepted(string message) => new() { Address = port.Address.OriginalString, Accepted = true, Message = message };
    }
}
