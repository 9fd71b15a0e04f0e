using System.Globalization;

namespace GridAppliance.Lab.Switches;

/// <summary>Command lines of the switch: its two daemons and its configuration; pure.</summary>
static class OpenVswitch
{
    public const string DatabaseServer = "/usr/sbin/ovsdb-server";
    public const string Daemon = "/usr/sbin/ovs-vswitchd";
    public const string Control = "/usr/bin/ovs-vsctl";
    public const string FlowTool = "/usr/bin/ovs-ofctl";
    public const string DatabaseTool = "/usr/bin/ovsdb-tool";
    public const string Schema = "/usr/share/openvswitch/vswitch.ovsschema";

    public static IReadOnlyList<string> CreateDatabase(LabPaths paths) => [DatabaseTool, "create", paths.SwitchDatabase, Schema];

    public static IReadOnlyList<string> DatabaseServerArguments(LabPaths paths) =>
    [
        DatabaseServer, paths.SwitchDatabase,
        $"--remote=punix:{paths.SwitchSocket}", $"--unixctl={paths.SwitchDirectory}/ovsdb.ctl",
        "-vconsole:info", "-vsyslog:off", "-vfile:off",
    ];

    public static IReadOnlyList<string> DaemonArguments(LabPaths paths) =>
        // Where it puts its bridges' own sockets: each lab's are its own.
        [$"OVS_RUNDIR={paths.SwitchDirectory}", Daemon, $"unix:{paths.SwitchSocket}", $"--unixctl={DaemonControl(paths)}", "-vconsole:info", "-vsyslog:off", "-vfile:off"];

    public static string DaemonControl(LabPaths paths) => $"{paths.SwitchDirectory}/vswitchd.ctl";

    /// <summary>One transaction for the whole switch: the bridge, the cable to the appliance, and a port for each server.</summary>
    public static IReadOnlyList<string> Build(LabPaths paths, LabSwitch labSwitch, IEnumerable<string> taps) =>
    [
        .. ControlTo(paths),
        "--", "add-br", labSwitch.Bridge,
        "--", "set", "bridge", labSwitch.Bridge, "datapath_type=netdev",
        .. Port(labSwitch.Bridge, labSwitch.Uplink),
        .. taps.SelectMany(tap => Port(labSwitch.Bridge, tap)),
    ];

    public static IReadOnlyList<string> AddPort(LabPaths paths, LabSwitch labSwitch, string port) => [.. ControlTo(paths), .. Port(labSwitch.Bridge, port)];

    public static IReadOnlyList<string> RemovePort(LabPaths paths, LabSwitch labSwitch, string port) =>
        [.. ControlTo(paths), "--", "--if-exists", "del-port", labSwitch.Bridge, port];

    /// <summary>Puts a port's cable into another VLAN's port.</summary>
    public static IReadOnlyList<string> SetVlan(LabPaths paths, string port, int vlan) =>
        [.. ControlTo(paths), "--", "set", "port", port, string.Create(CultureInfo.InvariantCulture, $"tag={vlan}")];

    /// <summary>
    /// Hands whatever a port receives to another port too, whatever VLANs the two are in and whatever tags it has. A mirror would not do: Open vSwitch goes on sending what it
    /// has sent a moment before by the way that it knows, past a mirror that is new; and it mirrors no frame whose tag is not its port's.
    /// </summary>
    public static IReadOnlyList<string> Copy(LabPaths paths, LabSwitch labSwitch, string from, string to) =>
        [.. FlowsOf(paths, labSwitch, "add-flow"), $"cookie={Leak},priority=100,in_port={from},actions=NORMAL,output:{to}"];

    public static IReadOnlyList<string> CopyNothing(LabPaths paths, LabSwitch labSwitch) => [.. FlowsOf(paths, labSwitch, "del-flows"), $"cookie={Leak}/-1"];

    const string Leak = "0x1eac";

    // Ports have names since OpenFlow 1.4.
    static IEnumerable<string> FlowsOf(LabPaths paths, LabSwitch labSwitch, string what) => [FlowTool, "--timeout=10", "-O", "OpenFlow14", what, $"unix:{paths.SwitchDirectory}/{labSwitch.Bridge}.mgmt"];

    static IEnumerable<string> ControlTo(LabPaths paths) => [Control, $"--db=unix:{paths.SwitchSocket}", "--timeout=10"];

    static IEnumerable<string> Port(string bridge, string port) =>
    [
        "--", "add-port", bridge, port, string.Create(CultureInfo.InvariantCulture, $"tag={LabSwitch.ProvisioningVlan}"),
        // Nodes learn from LLDP which port they hang on.
        "--", "set", "interface", port, "lldp:enable=true",
    ];
}
