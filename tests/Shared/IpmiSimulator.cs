using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GridAppliance.Testing;

/// <summary>OpenIPMI's <c>ipmi_sim</c> on a port of loopback, with a machine that is two files: its power and its boot device.</summary>
public sealed class IpmiSimulator : IDisposable
{
    public const string User = "ADMIN";
    public const string Password = "Pa55w0rd-16bytes";

    /// <summary>Called by the simulator for each look at and change of the machine; it answers in a few milliseconds because the simulator stands still meanwhile.</summary>
    const string Chassis = """
        #!/bin/sh
        dir=$1 what=$2
        shift 2
        case $what in
        get) for name; do if [ -f "$dir/$name" ]; then read -r value < "$dir/$name"; echo "$name:$value"; fi; done ;;
        set) while [ $# -gt 1 ]; do
                case $1 in
                reset) echo reset >> "$dir/log" ;;
                *) echo "$2" > "$dir/$1"; echo "$1 $2" >> "$dir/log" ;;
                esac
                shift 2
             done ;;
        esac
        """;

    /// <summary>Called for its network settings: a file for each, too.</summary>
    const string Lan = """
        #!/bin/sh
        dir=$1 what=$2
        shift 2
        case $what in
        get) for name; do value=0.0.0.0; if [ -f "$dir/lan.$name" ]; then read -r value < "$dir/lan.$name"; fi; echo "$name:$value"; done ;;
        set) while [ $# -gt 1 ]; do echo "$2" > "$dir/lan.$1"; shift 2; done ;;
        esac
        """;

    readonly Process process;

    IpmiSimulator(string folder, IPEndPoint endPoint, Process process)
    {
        Folder = folder;
        EndPoint = endPoint;
        this.process = process;
    }

    public string Folder { get; }
    public IPEndPoint EndPoint { get; }

    /// <summary>What was done to the machine, line by line.</summary>
    public IReadOnlyList<string> Log => File.Exists(Path.Combine(Folder, "log")) ? File.ReadAllLines(Path.Combine(Folder, "log")) : [];

    public string PasswordFile => Path.Combine(Folder, "password");

    /// <summary>Starts one and returns when it answers a presence ping.</summary>
    /// <param name="deviceKey">K_g, sixteen characters, or null.</param>
    /// <param name="sdrs">Records of its repository, with a sensor for each and the octet that it reads.</param>
    /// <param name="fru">Inventory of device 0.</param>
    /// <param name="at">An address of loopback and a port known to be free, or null for any.</param>
    /// <param name="withMachine">Without, the simulator answers for a machine that is always off, and starts no program for each question.</param>
    /// <param name="serialPort">Where the machine's serial port is, as a TCP port of loopback that listens; zero for none.</param>
    public static IpmiSimulator Start(string? deviceKey = null, IReadOnlyList<(byte[] Record, byte Reading)>? sdrs = null, byte[]? fru = null, IPEndPoint? at = null, bool withMachine = true, int serialPort = 0)
    {
        var folder = Directory.CreateTempSubdirectory("ipmi-sim-").FullName;
        var address = at?.Address ?? IPAddress.Loopback;
        var endPoint = new IPEndPoint(address, at is { Port: > 0 } ? at.Port : FreePort());
        File.WriteAllText(Path.Combine(folder, "chassis.sh"), Chassis.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(Path.Combine(folder, "chassis.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(folder, "lan.sh"), Lan.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(Path.Combine(folder, "lan.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var (name, value) in new[] { ("ip_addr", address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : "0.0.0.0"), ("ip_addr_src", "static"), ("subnet_mask", "255.0.0.0"), ("mac_addr", "52:54:00:01:02:03"), ("default_gw_mac_addr", "00:00:00:00:00:00"), ("backup_gw_mac_addr", "00:00:00:00:00:00") })
            File.WriteAllText(Path.Combine(folder, $"lan.{name}"), value + "\n");
        File.WriteAllText(Path.Combine(folder, "power"), "0\n");
        File.WriteAllText(Path.Combine(folder, "boot"), "none\n");
        File.WriteAllText(Path.Combine(folder, "password"), Password);
        File.WriteAllText(Path.Combine(folder, "lan.conf"), LanConfiguration(folder, withMachine, endPoint, deviceKey, serialPort));
        File.WriteAllText(Path.Combine(folder, "sim.emu"), Emulation(sdrs ?? [], fru));
        Directory.CreateDirectory(Path.Combine(folder, "state"));
        var start = new ProcessStartInfo("ipmi_sim")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList = { "-n", "-c", Path.Combine(folder, "lan.conf"), "-f", Path.Combine(folder, "sim.emu"), "-s", Path.Combine(folder, "state") },
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("ipmi_sim did not start");
        process.StandardInput.Close();
        // Nobody reads them, and a full pipe would stop the simulator.
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var simulator = new IpmiSimulator(folder, endPoint, process);
        simulator.AwaitReady();
        return simulator;
    }

    /// <summary>Runs ipmitool against it and gives what it printed.</summary>
    public string Ipmitool(params ReadOnlySpan<string> arguments) => IpmitoolAs(User, arguments);

    /// <summary>The same with the account of somebody else; the password is what stands in <see cref="PasswordFile"/>.</summary>
    public string IpmitoolAs(string user, params ReadOnlySpan<string> arguments) => GridAppliance.Testing.Ipmitool.Run(EndPoint, 3, user, PasswordFile, arguments).Output;

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        // With a limit, it waits for the process and not for the ends of its pipes.
        process.WaitForExit(TimeSpan.FromSeconds(5));
        process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    void AwaitReady()
    {
        using var socket = new Socket(EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20 };
        byte[] ping = [6, 0, 0xFF, 6, 0, 0, 0x11, 0xBE, 0x80, 1, 0, 0], pong = new byte[64];
        for (var attempt = 0; attempt < 500; attempt++)
        {
            if (process.HasExited) throw new InvalidOperationException($"ipmi_sim ended with {process.ExitCode}");
            try
            {
                socket.SendTo(ping, EndPoint);
                if (socket.Receive(pong) > 0) return;
            }
            catch (SocketException) { }
        }
        throw new TimeoutException("ipmi_sim does not answer");
    }

    static string LanConfiguration(string folder, bool withMachine, IPEndPoint endPoint, string? deviceKey, int serialPort)
    {
        var text = new StringBuilder();
        text.Append("name \"sim\"\nset_working_mc 0x20\nstartlan 1\n");
        text.Append($" addr {endPoint.Address} {endPoint.Port}\n priv_limit admin\n");
        foreach (var privilege in (string[])["callback", "user", "operator", "admin"]) text.Append($" allowed_auths_{privilege} md5\n");
        text.Append(" guid a123456789abcdefa123456789abcdef\n");
        if (deviceKey is not null) text.Append($" bmc_key \"{deviceKey}\"\n");
        text.Append($" lan_config_program \"{folder}/lan.sh {folder}\"\nendlan\n");
        if (withMachine) text.Append($"chassis_control \"{folder}/chassis.sh {folder}\"\n");
        if (serialPort != 0) text.Append($"sol \"tcp:127.0.0.1:{serialPort}\" 115200\n");
        text.Append($"user 2 true \"{User}\" \"{Password}\" admin 10 md5\n");
        return text.ToString();
    }

    static string Emulation(IReadOnlyList<(byte[] Record, byte Reading)> sdrs, byte[]? fru)
    {
        var text = new StringBuilder("mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\n");
        foreach (var (record, reading) in sdrs)
        {
            text.Append($"sensor_add 0x20 0 {record[7]} {record[12]} {record[13]}\nsensor_set_value 0x20 0 {record[7]} {reading} 0\n");
            const string none = "000000000000000";
            text.Append($"sensor_set_event_support 0x20 0 {record[7]} enable scanning per-state {none} {none} {none} {none}\n");
            text.Append($"main_sdr_add 0x20 {string.Join(' ', record.Select(octet => $"0x{octet:x2}"))}\n");
        }
        if (fru is not null) text.Append($"mc_add_fru_data 0x20 0 {fru.Length} data {string.Join(' ', fru.Select(octet => $"0x{octet:x2}"))}\n");
        return text.Append("mc_enable 0x20\n").ToString();
    }

    static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
