using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab.Servers;

/// <summary>A server's BMC: OpenIPMI's <c>ipmi_sim</c> on an address of its own beside the data network.</summary>
sealed record LabBmc
{
    public const string Program = "/usr/bin/ipmi_sim";
    /// <summary>Its account. No secret: the lab is open to whoever is root on this machine.</summary>
    public const string User = "grid";

    public required string Name { get; init; }
    /// <summary>On the management network, at the switch's end of it.</summary>
    public required string Address { get; init; }
    public required string Password { get; init; }
    /// <summary>Where the server's serial port listens on loopback of the switch's namespace, for serial over LAN.</summary>
    public required int SerialPort { get; init; }
    /// <summary>Where it listens on loopback of the switch's namespace for its own machine: the system interface, which needs no account.</summary>
    public required int InBandPort { get; init; }
    /// <summary>The address of its own NIC.</summary>
    public required MacAddress Mac { get; init; }
    public required string Directory { get; init; }

    /// <summary>Names its pid file and its log.</summary>
    public string Process => $"{Name}-bmc";
    public string Lan => $"{Directory}/lan.conf";
    public string Emulation => $"{Directory}/sim.emu";
    public string State => $"{Directory}/state";
    /// <summary>What it calls to look at the machine and to change it.</summary>
    public string Chassis => $"{Directory}/chassis";
    /// <summary>What it calls to read and write its own network settings, and where those stand.</summary>
    public string LanProgram => $"{Directory}/lan";
    public string LanSettings => $"{Directory}/lan.settings";
    /// <summary>It speaks Redfish too, on the same address with the same account: as the newer ones do, and one of the lab's.</summary>
    public bool SpeaksRedfish { get; init; }
    public string RedfishProcess => $"{Name}-redfish";
    public string RedfishState => $"{Directory}/redfish.json";
    /// <summary>The word for what the next start boots from.</summary>
    public string BootDevice => $"{Directory}/boot";
}
