using System.Collections.Frozen;
using System.Net;
using GridAppliance.Consoles.Ipmi;
using GridAppliance.Consoles.Serial;
using GridAppliance.Consoles.Tcp;
using GridAppliance.Consoles.Telnet;
using GridAppliance.Hosting;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Ports;

namespace GridAppliance.Consoles;

/// <summary>The drivers that open a node's console: an address's scheme says which.</summary>
sealed class ConsoleFamily(NodePorts ports, TimeProvider time)
{
    /// <summary>One line for each driver.</summary>
    static readonly FrozenDictionary<string, Func<ConsoleFamily, NodePort, CancellationToken, ValueTask<IConsolePort>>> Drivers =
        new Dictionary<string, Func<ConsoleFamily, NodePort, CancellationToken, ValueTask<IConsolePort>>>
        {
            // In the session that power commands use too, so that the BMC's few are not used up.
            ["ipmi"] = static async (family, port, token) => new SolConsolePort((IpmiBmc)await family.ports.OpenAsync(port, token)),
            ["serial"] = static (family, port, _) => new(new SerialConsolePort(port.Address.AbsolutePath, SettingsOf(port), family.time)),
            ["telnet+rfc2217"] = static (family, port, _) => new(new TelnetConsolePort(EndPointOf(port), SettingsOf(port), family.time)),
            ["tcp"] = static (_, port, _) => new(new TcpConsolePort(EndPointOf(port))),
        }.ToFrozenDictionary();

    readonly NodePorts ports = ports;
    readonly TimeProvider time = time;

    /// <summary>The node's console; null when no port has one. A port that is nothing but a console was given for that, and goes before the BMC's own. Stays good when the port's account changes: each opening asks for the port anew.</summary>
    public IConsolePort? Of(Guid node) =>
        ports.Current.Of(node).Where(port => port.Scheme.Can(typeof(IConsolePort))).OrderBy(port => port.Scheme.Kind != PortKind.Console).FirstOrDefault() is { } port ? new NodeConsolePort(this, port) : null;

    /// <summary>A name is resolved anew at each opening.</summary>
    static EndPoint EndPointOf(NodePort port) => PortHost.AddressIn(port.Address) is { } address ? new IPEndPoint(address, port.Address.Port) : new DnsEndPoint(port.Address.DnsSafeHost, port.Address.Port);

    static SerialSettings SettingsOf(NodePort port) => SerialSettings.Read(port.Address.Query) ?? throw new IOException($"{port.Address.OriginalString}: its settings are not understood");

    sealed class NodeConsolePort(ConsoleFamily family, NodePort port) : IConsolePort
    {
        public string Name => port.Address.OriginalString;

        public async Task<IConsole> OpenAsync(CancellationToken cancellationToken)
        {
            try
            {
                var now = family.ports.Current.Find(port.Address) ?? throw new IOException($"{Name} is no port of the node any more");
                return await (await Drivers[now.Scheme.Name](family, now, cancellationToken)).OpenAsync(cancellationToken);
            }
            catch (DeviceException e)
            {
                throw new IOException(e.Message, e);
            }
            catch (ObjectDisposedException e)
            {
                throw new IOException($"{Name}: its account was changed meanwhile", e);
            }
        }
    }
}
