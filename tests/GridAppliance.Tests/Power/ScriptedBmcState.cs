using System.Buffers.Binary;
using GridAppliance.Protocols.Ipmi;

namespace GridAppliance.Tests.Power;

/// <summary>The machine behind a <see cref="ScriptedBmc"/>: answers commands octet by octet as the specification lays them out.</summary>
sealed class ScriptedBmcState(ScriptedBmc bmc)
{
    public byte[] Guid { get; set; } = Convert.FromHexString("00112233445566778899aabbccddeeff");
    public bool IsOn { get; set; }
    /// <summary>It says yes to Chassis Control, and nothing happens.</summary>
    public bool IgnoresControl { get; set; }
    /// <summary>Chassis Control actions carried out, in order.</summary>
    public List<byte> Actions { get; } = [];
    public byte[] BootFlags { get; set; } = new byte[5];
    public byte Identify { get; set; }
    public int BadPasswords { get; set; }
    public byte AuthenticationTypes { get; set; } = 0x04;
    public byte LoginStatus { get; set; } = 0x04;
    public List<byte[]> Sdrs { get; } = [];
    /// <summary>Most octets of a record that are returned at once.</summary>
    public int SdrLimit { get; set; } = 255;
    /// <summary>How many reservations are lost while they are used.</summary>
    public int LoseReservations { get; set; }
    public Dictionary<byte, byte[]> Readings { get; } = [];
    public List<byte[]> Events { get; } = [];
    public byte[] Fru { get; set; } = [];
    public Dictionary<byte, byte[]> Lan { get; } = new()
    {
        [3] = [127, 0, 0, 1], [4] = [1], [5] = [0x52, 0x54, 0, 1, 2, 3], [6] = [255, 0, 0, 0], [12] = [127, 0, 0, 254], [20] = [0, 0],
    };
    public Dictionary<byte, (string Name, byte[] Password, byte Access, bool Enabled)> Users { get; } = new() { [2] = ("ADMIN", [], 0x34, true) };
    public HashSet<string> Unsupported { get; } = [];

    ushort reservation = 1;

    /// <summary>Completion code and data.</summary>
    public byte[] Answer(NetFunction function, byte command, ReadOnlySpan<byte> data, bool outside)
    {
        if (Unsupported.Contains($"{function}/{command:x2}")) return [0xC1];
        if (outside && (function, command) is not ((NetFunction.App, 0x38) or (NetFunction.App, 0x54) or (NetFunction.App, 0x37))) return [0xD4];
        return (function, command) switch
        {
            (NetFunction.App, 0x01) => [0, 0x20, 0x81, 0x02, 0x15, 0x02, 0xBF, 0x57, 0x01, 0x00, 0x34, 0x12],
            (NetFunction.App, 0x37) => [0, .. Guid],
            (NetFunction.App, 0x38) => [0, 1, (byte)(0x80 | AuthenticationTypes), (byte)(LoginStatus | (bmc.DeviceKey is null ? 0 : 0x20)), 0x03, 0, 0, 0, 0],
            (NetFunction.App, 0x3B) => [0, data[0]],
            (NetFunction.App, 0x3C) => [0],
            (NetFunction.App, 0x54) => (data[2] & 0x80) != 0 ? CipherSuites(data[2] & 0x3F) : Algorithms(),
            (NetFunction.App, 0x43) => SetAccess(data),
            (NetFunction.App, 0x44) => GetAccess(data[1]),
            (NetFunction.App, 0x45) => SetName(data),
            (NetFunction.App, 0x46) => GetName(data[0]),
            (NetFunction.App, 0x47) => SetPassword(data),
            (NetFunction.App, 0x4C) => [0],
            (NetFunction.Chassis, 0x01) => [0, (byte)(IsOn ? 1 : 0), 0, (byte)(0x40 | Identify << 4)],
            (NetFunction.Chassis, 0x02) => Control(data[0]),
            (NetFunction.Chassis, 0x04) => SetIdentify(data),
            (NetFunction.Chassis, 0x08) => SetBoot(data),
            (NetFunction.Chassis, 0x09) => [0, 1, 5, .. BootFlags],
            (NetFunction.SensorEvent, 0x2D) => Readings.TryGetValue(data[0], out var reading) ? [0, .. reading] : [0xCB],
            (NetFunction.Storage, 0x10) => Fru.Length > 0 && data[0] == 0 ? [0, (byte)Fru.Length, (byte)(Fru.Length >> 8), 0] : [0xCB],
            (NetFunction.Storage, 0x11) => ReadFru(data),
            (NetFunction.Storage, 0x20) => [0, 0x51, (byte)Sdrs.Count, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0],
            (NetFunction.Storage, 0x22) or (NetFunction.Storage, 0x42) => [0, (byte)++reservation, (byte)(reservation >> 8)],
            (NetFunction.Storage, 0x23) => ReadSdr(data),
            (NetFunction.Storage, 0x40) => [0, 0x51, (byte)Events.Count, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 2],
            (NetFunction.Storage, 0x43) => ReadEvent(BinaryPrimitives.ReadUInt16LittleEndian(data[2..])),
            (NetFunction.Storage, 0x47) => ClearEvents(),
            (NetFunction.Transport, 0x01) => SetLan(data),
            (NetFunction.Transport, 0x02) => Lan.TryGetValue(data[1], out var value) ? [0, 0x11, .. value] : [0x80],
            _ => [0xC1],
        };
    }

    byte[] CipherSuites(int index)
    {
        byte[] all = [.. bmc.Suites.SelectMany(s => new byte[] { 0xC0, s.Id, (byte)s.Authentication, (byte)(0x40 | (byte)s.Integrity), (byte)(0x80 | (byte)s.Confidentiality) })];
        return [0, 1, .. all.Skip(index * 16).Take(16)];
    }

    byte[] Algorithms() =>
        [0, 1, .. bmc.Suites.SelectMany(s => new[] { (byte)s.Authentication, (byte)(0x40 | (byte)s.Integrity), (byte)(0x80 | (byte)s.Confidentiality) }).Distinct().Order()];

    byte[] Control(byte action)
    {
        if (IgnoresControl) return [0];
        Actions.Add(action);
        IsOn = action switch { 0 or 5 => false, 1 or 2 => true, _ => IsOn };
        return [0];
    }

    byte[] SetIdentify(ReadOnlySpan<byte> data)
    {
        Identify = (byte)(data.Length > 1 && (data[1] & 1) != 0 ? 2 : data[0] > 0 ? 1 : 0);
        return [0];
    }

    byte[] SetBoot(ReadOnlySpan<byte> data)
    {
        // That a change is in progress, and that the BIOS has seen the last one.
        if (data[0] is 0 or 4) return [0];
        if (data[0] != 5) return [0x80];
        BootFlags = data[1..6].ToArray();
        return [0];
    }

    byte[] ReadFru(ReadOnlySpan<byte> data)
    {
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(data[1..]);
        if (offset > Fru.Length) return [0xC9];
        var piece = Fru.Skip(offset).Take(data[3]).ToArray();
        return [0, (byte)piece.Length, .. piece];
    }

    byte[] ReadSdr(ReadOnlySpan<byte> data)
    {
        if (LoseReservations > 0 && data[4] > 0)
        {
            LoseReservations--;
            reservation++;
        }
        if (BinaryPrimitives.ReadUInt16LittleEndian(data) != reservation) return [0xC5];
        int index = BinaryPrimitives.ReadUInt16LittleEndian(data[2..]);
        if (index >= Sdrs.Count) return [0xCB];
        var (offset, count) = (data[4], data[5]);
        if (count == 0xFF ? Sdrs[index].Length > SdrLimit : count > SdrLimit) return [0xCA];
        var next = index + 1 < Sdrs.Count ? index + 1 : 0xFFFF;
        return [0, (byte)next, (byte)(next >> 8), .. Sdrs[index].Skip(offset).Take(count)];
    }

    byte[] ReadEvent(ushort record)
    {
        if (record >= Events.Count) return [0xCB];
        var next = record + 1 < Events.Count ? record + 1 : 0xFFFF;
        return [0, (byte)next, (byte)(next >> 8), .. Events[record]];
    }

    byte[] ClearEvents()
    {
        Events.Clear();
        return [0, 1];
    }

    byte[] SetLan(ReadOnlySpan<byte> data)
    {
        Lan[data[1]] = data[2..].ToArray();
        return [0];
    }

    byte[] SetAccess(ReadOnlySpan<byte> data)
    {
        var user = User(data[1]);
        Users[data[1]] = user with { Access = (byte)(data[0] & 0x70 | data[2] & 0x0F) };
        return [0];
    }

    byte[] GetAccess(byte id)
    {
        var user = User(id);
        return [0, 4, (byte)((user.Enabled ? 0x40 : 0x80) | Users.Values.Count(u => u.Enabled)), 1, user.Access];
    }

    byte[] SetName(ReadOnlySpan<byte> data)
    {
        var user = User(data[0]);
        Users[data[0]] = user with { Name = System.Text.Encoding.ASCII.GetString(data[1..]).TrimEnd('\0') };
        return [0];
    }

    byte[] GetName(byte id)
    {
        var name = new byte[16];
        System.Text.Encoding.ASCII.GetBytes(User(id).Name, name);
        return [0, .. name];
    }

    byte[] SetPassword(ReadOnlySpan<byte> data)
    {
        var id = (byte)(data[0] & 0x3F);
        var user = User(id);
        Users[id] = data[1] switch
        {
            0 => user with { Enabled = false },
            1 => user with { Enabled = true },
            _ => user with { Password = data[2..].ToArray() },
        };
        return [0];
    }

    (string Name, byte[] Password, byte Access, bool Enabled) User(byte id) => Users.GetValueOrDefault(id, ("", [], 0x0F, false));
}
