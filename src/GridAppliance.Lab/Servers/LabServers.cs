using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab.Servers;

/// <summary>Makes the servers of a lab. Addresses and UUIDs follow from the lab's and the server's name: the same lab is the same hardware every time.</summary>
static class LabServers
{
    /// <summary>Two BIOS machines, one UEFI machine by PXE, one by HTTP boot.</summary>
    public static IReadOnlyList<ServerFirmware> StandardRack { get; } =
        [ServerFirmware.Bios, ServerFirmware.Bios, ServerFirmware.UefiPxe, ServerFirmware.UefiHttp];

    public static IReadOnlyList<LabServer> Rack(LabPaths paths, IEnumerable<ServerFirmware> firmware) =>
        [.. firmware.Select((kind, index) => Server(paths, index + 1, kind))];

    static LabServer Server(LabPaths paths, int number, ServerFirmware firmware)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"n{number}");
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"gridlab {paths.Name} {name}"));
        // 52:54:00 is QEMU's prefix; the last octet is the server's number, which makes captures readable.
        var mac = string.Create(CultureInfo.InvariantCulture, $"52:54:00:{digest[0]:x2}:{digest[1]:x2}:{number:x2}");
        return new LabServer
        {
            Name = name,
            Firmware = firmware,
            Mac = MacAddress.Parse(mac, null),
            Uuid = Version8(digest),
            Serial = $"{paths.Name}-{name}".ToUpperInvariant(),
            Tap = $"{paths.Name}-{name}",
            Directory = paths.Server(name),
            Bmc = new()
            {
                Name = name,
                Address = string.Create(CultureInfo.InvariantCulture, $"10.78.0.{10 + number}"),
                Password = Convert.ToHexStringLower(digest.AsSpan(8, 8)),
                SerialPort = 7000 + number,
                // The server that boots by HTTP is the one that Redfish has words for.
                SpeaksRedfish = firmware == ServerFirmware.UefiHttp,
                InBandPort = 7100 + number,
                // Beside its machine's, as on boards: the same but for one bit.
                Mac = MacAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"52:54:01:{digest[0]:x2}:{digest[1]:x2}:{number:x2}"), null),
                Directory = $"{paths.Server(name)}/bmc",
            },
        };
    }

    /// <summary>A UUID from a digest (RFC 9562 section 5.8).</summary>
    static Guid Version8(ReadOnlySpan<byte> digest)
    {
        Span<byte> bytes = stackalloc byte[16];
        digest[16..32].CopyTo(bytes);
        bytes[6] = (byte)(bytes[6] & 0x0f | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3f | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
