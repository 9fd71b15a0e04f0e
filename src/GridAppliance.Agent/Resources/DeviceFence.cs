using System.Buffers.Binary;
using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Native;

namespace GridAppliance.Agent.Resources;

/// <summary>A device file's number.</summary>
readonly record struct DeviceNumber(int Major, int Minor);

/// <summary>
/// Keeps programs of a control group from devices that are somebody else's: a program of the kernel's own small machine (Documentation/bpf in the kernel, <c>BPF_PROG_TYPE_CGROUP_DEVICE</c>), asked at
/// each opening of a device file, root's included. The group's own program takes the place of the one before; it goes with the group.
/// </summary>
static unsafe class DeviceFence
{
    const long BpfCall = 321;
    const int LoadProgram = 5, AttachProgram = 8;
    const int DeviceProgram = 15, DeviceAttachment = 6;
    // struct bpf_cgroup_dev_ctx: access_type, major, minor.
    const short MajorOffset = 4, MinorOffset = 8;
    const byte LoadWord = 0x61, JumpIfNotEqual = 0x55, MoveConstant = 0xb7, Exit = 0x95;
    const byte Result = 0, Context = 1, Major = 2, Minor = 3;
    const int InstructionLength = 8;

    /// <summary>Device files that belong to a PCI device: of its drivers' classes (<c>drm/card0</c>, <c>accel/accel0</c>), and those that NVIDIA's own driver numbers by itself.</summary>
    public static IReadOnlyList<DeviceNumber> NumbersOf(AgentPaths paths, string pciAddress)
    {
        var numbers = new List<DeviceNumber>();
        foreach (var kind in SystemFiles.Entries(Path.Combine(paths.Sys, "bus/pci/devices", pciAddress)).Where(Directory.Exists))
            foreach (var device in SystemFiles.Entries(kind))
                if (SystemFiles.Text(device, "dev")?.Split(':') is [var major, var minor] && int.TryParse(major, CultureInfo.InvariantCulture, out var m) && int.TryParse(minor, CultureInfo.InvariantCulture, out var n)) numbers.Add(new(m, n));
        if (SystemFiles.Text(Path.Combine(paths.Proc, "driver/nvidia/gpus", pciAddress), "information") is { } said
            && said.Split('\n').FirstOrDefault(line => line.StartsWith("Device Minor:", StringComparison.Ordinal)) is { } line && int.TryParse(line["Device Minor:".Length..], CultureInfo.InvariantCulture, out var number))
            numbers.Add(new(195, number));
        return [.. numbers.Distinct()];
    }

    /// <summary>From here on no process in the group opens these.</summary>
    /// <exception cref="IOException">The kernel does not do that.</exception>
    public static void Close(string group, IReadOnlyList<DeviceNumber> denied)
    {
        var program = Load(Program(denied));
        var folder = Libc.Open(group, Libc.OpenReadOnly | Libc.OpenCloseOnExec);
        try
        {
            if (folder < 0) throw new IOException($"{group}: {new Win32Exception().Message}");
            Span<byte> attributes = stackalloc byte[16];
            BinaryPrimitives.WriteInt32LittleEndian(attributes, folder);
            BinaryPrimitives.WriteInt32LittleEndian(attributes[4..], program);
            BinaryPrimitives.WriteInt32LittleEndian(attributes[8..], DeviceAttachment);
            if (Call(AttachProgram, attributes) < 0) throw new IOException($"devices cannot be kept from {group}: {new Win32Exception().Message}");
        }
        finally
        {
            if (folder >= 0) _ = Libc.Close(folder);
            _ = Libc.Close(program);
        }
    }

    /// <summary>0 (no) for each that is denied, 1 (as the file's permissions say) for the rest.</summary>
    static byte[] Program(IReadOnlyList<DeviceNumber> denied)
    {
        var code = new MemoryStream();
        Write(code, LoadWord, Major, Context, MajorOffset, 0);
        Write(code, LoadWord, Minor, Context, MinorOffset, 0);
        foreach (var device in denied)
        {
            Write(code, JumpIfNotEqual, Major, 0, 3, device.Major);
            Write(code, JumpIfNotEqual, Minor, 0, 2, device.Minor);
            Write(code, MoveConstant, Result, 0, 0, 0);
            Write(code, Exit, 0, 0, 0, 0);
        }
        Write(code, MoveConstant, Result, 0, 0, 1);
        Write(code, Exit, 0, 0, 0, 0);
        return code.ToArray();
    }

    // 1 octet of code, 4 bits each of source and destination register, 2 octets of offset, 4 of constant.
    static void Write(MemoryStream code, byte operation, byte destination, byte source, short offset, int constant)
    {
        Span<byte> instruction = stackalloc byte[InstructionLength];
        (instruction[0], instruction[1]) = (operation, (byte)(source << 4 | destination));
        BinaryPrimitives.WriteInt16LittleEndian(instruction[2..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(instruction[4..], constant);
        code.Write(instruction);
    }

    static int Load(byte[] code)
    {
        // struct bpf_attr for BPF_PROG_LOAD: type, count, instructions, license, log level, log size, log, kernel version, flags, name, interface, expected attachment.
        Span<byte> attributes = stackalloc byte[72];
        attributes.Clear();
        fixed (byte* instructions = code, license = "GPL\0"u8)
        {
            BinaryPrimitives.WriteInt32LittleEndian(attributes, DeviceProgram);
            BinaryPrimitives.WriteInt32LittleEndian(attributes[4..], code.Length / InstructionLength);
            BinaryPrimitives.WriteUInt64LittleEndian(attributes[8..], (ulong)instructions);
            BinaryPrimitives.WriteUInt64LittleEndian(attributes[16..], (ulong)license);
            BinaryPrimitives.WriteInt32LittleEndian(attributes[68..], DeviceAttachment);
            var program = (int)Call(LoadProgram, attributes);
            return program >= 0 ? program : throw new IOException($"the kernel takes no rules for devices: {new Win32Exception().Message}");
        }
    }

    static long Call(int command, Span<byte> attributes)
    {
        fixed (byte* at = attributes) return Libc.SystemCall(BpfCall, command, (nint)at, attributes.Length);
    }
}
