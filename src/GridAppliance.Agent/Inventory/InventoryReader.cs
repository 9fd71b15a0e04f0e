using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Resources;
using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Smbios;

namespace GridAppliance.Agent.Inventory;

/// <summary>What this machine is made of, as /sys and /proc tell it. Cheap enough for every heartbeat; disks and links come and go.</summary>
sealed class InventoryReader(AgentPaths paths, NeighbourTable neighbours, IpmiDevice ipmi, MachineResources resources)
{
    // Words that boards carry in place of a value that nobody filled in.
    static readonly string[] Placeholders =
        ["To be filled by O.E.M.", "To Be Filled By O.E.M.", "Default string", "Not Specified", "Not Applicable", "System Serial Number", "System Product Name", "None", "0123456789"];

    readonly Lazy<SmbiosSystem> smbios = new(() => ReadSmbios(paths.Sys));
    readonly Lazy<(int Count, string? Model)> cpus = new(() => ReadCpus(paths.Proc));

    public InventoryDocument Read()
    {
        var table = smbios.Value;
        return new InventoryDocument
        {
            Cpus = cpus.Value.Count,
            CpuModel = cpus.Value.Model,
            MemoryMiB = table.MemoryMiB > 0 ? table.MemoryMiB : MemoryOf(paths.Proc),
            Disks = DiskReader.Read(paths.Sys),
            Nics = NicReader.Read(paths.Sys, neighbours.On),
            Vendor = Dmi("sys_vendor") ?? Known(table.Manufacturer),
            Product = Dmi("product_name") ?? Known(table.Product),
            Serial = Dmi("product_serial") ?? Known(table.Serial) ?? Dmi("chassis_serial") ?? Dmi("board_serial"),
            Uuid = Guid.TryParse(SystemFiles.Text(paths.Sys, "class/dmi/id/product_uuid"), out var uuid) ? uuid.ToString() : table.Uuid?.ToString(),
            Arch = RuntimeInformation.OSArchitecture switch { Architecture.X64 => "x86_64", Architecture.Arm64 => "aarch64", var other => other.ToString().ToLowerInvariant() },
            Firmware = Directory.Exists(Path.Combine(paths.Sys, "firmware/efi")) ? "uefi" : "bios",
            Kernel = SystemFiles.Text(paths.Proc, "sys/kernel/osrelease"),
            Bmc = ipmi.Find() ?? (table.HasIpmi ? new BmcDocument { Kind = "ipmi" } : null),
            Allocatable = resources.Amounts,
        };
    }

    string? Dmi(string field) => Known(SystemFiles.Text(Path.Combine(paths.Sys, "class/dmi/id"), field));

    static string? Known(string? text) => text is null || Placeholders.Contains(text) ? null : text;

    static (int Count, string? Model) ReadCpus(string proc)
    {
        var lines = (SystemFiles.Text(proc, "cpuinfo") ?? "").Split('\n');
        var model = lines.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2);
        return (lines.Count(line => line.StartsWith("processor\t", StringComparison.Ordinal)), model is [_, var name] ? name.Trim() : null);
    }

    /// <summary>What the kernel has to give away, for machines whose firmware has no table: a little less than what is plugged in.</summary>
    public static long MemoryOf(string proc)
    {
        var line = (SystemFiles.Text(proc, "meminfo") ?? "").Split('\n').FirstOrDefault(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kilobytes, ..] && long.TryParse(kilobytes, CultureInfo.InvariantCulture, out var n) ? n / 1024 : 0;
    }

    static SmbiosSystem ReadSmbios(string sys)
    {
        var tables = Path.Combine(sys, "firmware/dmi/tables");
        if (SystemFiles.Bytes(Path.Combine(tables, "smbios_entry_point")) is not { } start || !SmbiosEntryPoint.TryRead(start, out var entryPoint, out _)
            || SystemFiles.Bytes(Path.Combine(tables, "DMI")) is not { } table)
            return new SmbiosSystem();
        return SmbiosSystem.Read(table, entryPoint.UuidIsLittleEndian, out _);
    }
}
