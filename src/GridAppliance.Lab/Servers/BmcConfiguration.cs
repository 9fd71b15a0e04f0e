using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Servers;

/// <summary>The files of a BMC; pure. Every value comes from the plan and is a name, a number or a path of our own.</summary>
static class BmcConfiguration
{
    public static string Lan(LabServer server) =>
        $"""
        name "{server.Name}"
        set_working_mc 0x20
        startlan 1
         addr {server.Bmc.Address} 623
         priv_limit admin
         allowed_auths_callback md5
         allowed_auths_user md5
         allowed_auths_operator md5
         allowed_auths_admin md5
         guid {Convert.ToHexStringLower(server.Uuid.ToByteArray())}
         lan_config_program "{server.Bmc.LanProgram}"
        endlan
        serial 15 127.0.0.1 {server.Bmc.InBandPort} codec VM
        chassis_control "{server.Bmc.Chassis}"
        sol "tcp:127.0.0.1:{server.Bmc.SerialPort}" 115200 history=16000
        user 2 true "{LabBmc.User}" "{server.Bmc.Password}" admin 10 md5

        """;

    public const string Emulation =
        """
        mc_setbmc 0x20
        mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
        sel_enable 0x20 1000 0x0a
        mc_enable 0x20

        """;

    /// <summary>What the BMC is set to on the network, before anybody changes it.</summary>
    public static string LanSettings(LabServer server) =>
        $"""
        ip_addr {server.Bmc.Address}
        ip_addr_src static
        mac_addr {server.Bmc.Mac}
        subnet_mask 255.255.255.0
        default_gw_ip_addr {LabSwitch.ManagementOfApplianceAddress}
        default_gw_mac_addr 00:00:00:00:00:00
        backup_gw_ip_addr 0.0.0.0
        backup_gw_mac_addr 00:00:00:00:00:00

        """;

    /// <summary>
    /// What the BMC calls to read and write its network settings. They are kept and told, and nothing more: the simulator goes on answering where it does.
    /// </summary>
    public static string LanProgram(string settings) =>
        $$"""
        #!/bin/sh
        # Written by gridlab: the network settings of a BMC. The last line that names one is in force.
        what=$1
        shift
        case $what in
        get) for name; do
                value=
                while read -r key rest; do [ "$key" = "$name" ] && value=$rest; done < {{settings}}
                echo "$name:$value"
             done ;;
        set) while [ $# -gt 1 ]; do
                echo "$1 $2" >> {{settings}}
                shift 2
             done ;;
        esac
        exit 0

        """;

    /// <summary>
    /// What the BMC calls for each look at the machine and each change. The simulator stands still meanwhile and does a change again when its answer takes a second: so it is a script of a few
    /// milliseconds, not a program that first has to start a runtime.
    /// </summary>
    /// <param name="server">Whose machine.</param>
    /// <param name="pidFile">Where its process is written down.</param>
    /// <param name="fromNetwork">Starts it with the network before its disk.</param>
    /// <param name="fromDisk">Starts it with its disk before the network.</param>
    /// <param name="shutDown">Asks its operating system to shut down.</param>
    public static string Chassis(LabServer server, string pidFile, IReadOnlyList<string> fromNetwork, IReadOnlyList<string> fromDisk, IReadOnlyList<string> shutDown) =>
        $$"""
        #!/bin/sh
        # Written by gridlab: the chassis of {{server.Name}}, as its BMC works it.
        running() {
            read -r pid < {{pidFile}} && read -r id name state rest < "/proc/$pid/stat" && [ "$name" = '(qemu-system-x86)' ] && [ "$state" != Z ]
        } 2>/dev/null
        on() {
            running && return
            boot=none
            read -r boot < {{server.Bmc.BootDevice}} 2>/dev/null
            # Once: the next start is the last that it is for.
            # And start-stop-daemon takes a dead process that nobody has reaped yet for a running one.
            rm -f {{server.Bmc.BootDevice}} {{pidFile}}
            case $boot in
            default) {{Line(fromDisk)}} ;;
            *) {{Line(fromNetwork)}} ;;
            esac >/dev/null 2>&1 </dev/null
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do running && return; sleep 0.02; done
        }
        off() {
            running || return
            kill -KILL "$pid"
            while running; do sleep 0.01; done
        }
        what=$1
        shift
        case $what in
        get) for name; do
                case $name in
                power) if running; then echo power:1; else echo power:0; fi ;;
                boot) boot=none; read -r boot < {{server.Bmc.BootDevice}} 2>/dev/null; echo "boot:$boot" ;;
                esac
             done ;;
        set) while [ $# -gt 1 ]; do
                case $1 in
                power) if [ "$2" = 1 ]; then on; else off; fi ;;
                reset) off; on ;;
                boot) echo "$2" > {{server.Bmc.BootDevice}} ;;
                shutdown) {{Line(shutDown)}} >/dev/null 2>&1 </dev/null & ;;
                esac
                shift 2
             done ;;
        esac
        exit 0

        """;

    /// <summary>A command line that the shell takes word by word.</summary>
    static string Line(IEnumerable<string> arguments) => string.Join(' ', arguments.Select(argument => $"'{argument.Replace("'", @"'\''", StringComparison.Ordinal)}'"));
}
