using System.Collections.Immutable;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Disks;

/// <summary>A system that was written, or was about to be, to a disk of a node. It is what a release has to wipe, and what cloud-init is told.</summary>
sealed record WrittenDisk
{
    /// <summary>Of the installation: the disk's partition table and root file system have it, and cloud-init knows by it that this is a new machine.</summary>
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Serial { get; init; }
    public string? Wwn { get; init; }
    public required long SizeBytes { get; init; }
    public required string Image { get; init; }
    /// <summary>SHA-256 of the image, lower-case hex.</summary>
    public required string Digest { get; init; }
    public required CloudSettings Settings { get; init; }
    /// <summary>128 random bits in the address under which this node's cloud-init asks, base64url.</summary>
    public required string Token { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required string By { get; init; }

    /// <summary>What identifies the disk to its agent.</summary>
    public DiskOrder ToOrder() => new() { Id = Id.ToString(), Name = Name, Serial = Serial, Wwn = Wwn, SizeBytes = SizeBytes };

    public WrittenDiskDocument ToDocument() => new()
    {
        Name = Name, Serial = Serial, Wwn = Wwn, SizeBytes = SizeBytes, Image = Image, HostName = Settings.HostName, Address = Settings.Address?.ToString(),
        SshKeys = [.. Settings.SshKeys.Select(key => key.Split(' ') is [var type, _, .. var comment] ? string.Join(' ', [type, .. comment]) : key)], Since = Since, By = By,
    };
}

/// <summary>What a person said of a system: its name, who may log in, its network. Everything in it has been checked.</summary>
sealed record CloudSettings
{
    /// <summary>A label of RFC 1123.</summary>
    public required string HostName { get; init; }
    /// <summary>Public keys as in authorized_keys.</summary>
    public ImmutableArray<string> SshKeys { get; init; } = [];
    /// <summary>Its own address and its network's length; null: what DHCP gives.</summary>
    public Ipv4Network? Address { get; init; }
    public Ipv4Address? Gateway { get; init; }
    public ImmutableArray<Ipv4Address> Dns { get; init; } = [];
}
