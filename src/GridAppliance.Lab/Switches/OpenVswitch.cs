using System.Globalization;

namespace GridAppliance.Lab.Switches;

/// <summary>Command lines of the switch: its two daemons and its configuration; pure.</summary>
static class OpenVswitch
{
    public const string DatabaseServer = "/usr/sbin/ovsdb-server";
    public const string Daemon = "/usr/sbin/ovs-vswitchd";
    public const string Control = "/usr/bin/ovs-vsctl";
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
        [Daemon, $"unix:{paths.SwitchSocket}", $"--unixctl={DaemonControl(paths)}", "-vconsole:info", "-vsyslog:off", "-vfile:off"];

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

    public static IReadOnlyList<string> Vlan(LabPaths paths, string port) => [.. ControlTo(paths), "--", "get", "port", port, "tag"];

    /// <summary>Copies what a port receives into a VLAN, whatever VLAN the port is in (a mirror).</summary>
    public static IReadOnlyList<string> Copy(LabPaths paths, LabSwitch labSwitch, string from, int vlan) =>
    [
        .. ControlTo(paths), "--", "--id=@from", "get", "port", from,
        "--", "--id=@copy", "create", "mirror", "name=leak", "select_src_port=@from", string.Create(CultureInfo.InvariantCulture, $"output_vlan={vlan}"), "--", "set", "bridge", labSwitch.Bridge, "mirrors=@copy",
    ];

    public static IReadOnlyList<string> CopyNothing(LabPaths paths, LabSwitch labSwitch) => [.. ControlTo(paths), "--", "clear", "bridge", labSwitch.Bridge, "mirrors"];

    static IEnumerable<string> ControlTo(LabPaths paths) => [Control, $"--db=unix:{paths.SwitchSocket}", "--timeout=10"];

    static IEnumerable<string> Port(string bridge, string port) =>
    [
        "--", "add-port", bridge, port, string.Create(CultureInfo.InvariantCulture, $"tag={LabSwitch.ProvisioningVlan}"),
        // Nodes learn from LLDP which port they hang on.
        "--", "set", "interface", port, "lldp:enable=true",
    ];
}
