using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Switches;

/// <summary>Puts the switch together and plugs cables.</summary>
sealed class SwitchRig(LabPlan plan, LabPrograms programs, LabProcesses processes, TimeProvider clock)
{
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    LabPaths Paths => plan.Paths;

    public async Task StartAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Paths.SwitchDirectory);
        if (!File.Exists(Paths.SwitchDatabase)) await Command.RunAsync(OpenVswitch.CreateDatabase(Paths), cancellation);
        await StartDaemonAsync("ovsdb-server", OpenVswitch.DatabaseServerArguments(Paths), Paths.SwitchSocket, cancellation);
        await StartDaemonAsync("ovs-vswitchd", OpenVswitch.DaemonArguments(Paths), OpenVswitch.DaemonControl(Paths), cancellation);
        foreach (var server in plan.Servers)
        {
            await Command.RunAsync([Namespaces.Ip, "-n", plan.Switch.Namespace, "tuntap", "add", "dev", server.Tap, "mode", "tap"], cancellation);
            await Command.RunAsync([Namespaces.Ip, "-n", plan.Switch.Namespace, "link", "set", server.Tap, "up"], cancellation);
        }
        await Command.RunAsync(OpenVswitch.Build(Paths, plan.Switch, plan.Servers.Select(server => server.Tap)), cancellation);
        await processes.StartAsync("switch-agent", plan.Switch.Namespace, [programs.Gridlab, "switch-agent", "--name", plan.Name.ToString()], cancellation);
    }

    public Task SetVlanAsync(string port, int vlan, CancellationToken cancellation) => Command.RunAsync(OpenVswitch.SetVlan(Paths, port, vlan), cancellation);

    public Task AddPortAsync(string port, CancellationToken cancellation) => Command.RunAsync(OpenVswitch.AddPort(Paths, plan.Switch, port), cancellation);

    public Task RemovePortAsync(string port, CancellationToken cancellation) => Command.RunAsync(OpenVswitch.RemovePort(Paths, plan.Switch, port), cancellation);

    async Task StartDaemonAsync(string name, IReadOnlyList<string> arguments, string socket, CancellationToken cancellation)
    {
        var process = await processes.StartAsync(name, plan.Switch.Namespace, arguments, cancellation);
        var giveUp = clock.GetUtcNow() + StartPatience;
        while (!File.Exists(socket))
        {
            if (!process.IsAlive || clock.GetUtcNow() >= giveUp) throw new LabException($"{name} does not run:{Environment.NewLine}{LogTail.Of(Paths.Log(name), 10)}");
            await Task.Delay(Look, clock, cancellation);
        }
    }
}
