using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GridAppliance.Nodes;

namespace GridAppliance.Disks;

/// <summary>
/// What cloud-init's data source NoCloud is told of a node. Pure. It is written as JSON, of which YAML is a superset, so that a name or a comment of a key can be nothing but text; and it holds no secret: public keys,
/// a name, addresses.
/// </summary>
static class CloudSeed
{
    /// <summary>The address below which a node's documents are.</summary>
    public static string PathOf(WrittenDisk disk) => $"/cloud/{disk.Token}";

    /// <returns>Null for a document that there is not.</returns>
    public static byte[]? Document(string name, Node node, WrittenDisk disk) => name switch
    {
        "meta-data" => Text(new JsonObject { ["instance-id"] = disk.Id.ToString(), ["local-hostname"] = disk.Settings.HostName, ["public-keys"] = Keys(disk) }),
        "user-data" => [.. "#cloud-config\n"u8, .. Text(UserData(disk))],
        // It is asked for, and has nothing to add.
        "vendor-data" => [],
        "network-config" => Text(Network(node, disk)),
        _ => null,
    };

    /// <summary>The distribution's own user, with the keys; nobody logs in with a password.</summary>
    static JsonObject UserData(WrittenDisk disk)
    {
        var data = new JsonObject
        {
            ["hostname"] = disk.Settings.HostName, ["manage_etc_hosts"] = true, ["ssh_pwauth"] = false, ["users"] = new JsonArray("default"), ["ssh_authorized_keys"] = Keys(disk),
            // Its partitions are as large as they can be, its packages come from where it was built from, and it has the one locale that needs no making.
            ["locale"] = false, ["growpart"] = new JsonObject { ["mode"] = "off" }, ["resize_rootfs"] = false, ["apt"] = new JsonObject { ["preserve_sources_list"] = true },
        };
        if (disk.Settings.Dns.Length > 0)
            data["write_files"] = new JsonArray(new JsonObject { ["path"] = "/etc/resolv.conf", ["content"] = string.Concat(disk.Settings.Dns.Select(server => $"nameserver {server}\n")) });
        return data;
    }

    /// <summary>Version 2: the NIC that booted, by its address; the other NICs are left to the system.</summary>
    static JsonObject Network(Node node, WrittenDisk disk)
    {
        var nic = new JsonObject { ["match"] = new JsonObject { ["macaddress"] = node.BootMac.ToString() }, ["set-name"] = "eth0" };
        if (disk.Settings.Address is { } address)
        {
            nic["dhcp4"] = false;
            nic["addresses"] = new JsonArray(address.ToString());
            if (disk.Settings.Gateway is { } gateway) nic["gateway4"] = gateway.ToString();
        }
        else nic["dhcp4"] = true;
        if (disk.Settings.Dns.Length > 0) nic["nameservers"] = new JsonObject { ["addresses"] = new JsonArray([.. disk.Settings.Dns.Select(server => (JsonNode)server.ToString())]) };
        return new() { ["version"] = 2, ["ethernets"] = new JsonObject { ["eth0"] = nic } };
    }

    static JsonArray Keys(WrittenDisk disk) => [.. disk.Settings.SshKeys.Select(key => (JsonNode)key)];

    static byte[] Text(JsonObject document)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) document.WriteTo(writer);
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }
}
