using System.Buffers.Text;
using System.Security.Cryptography;
using GridAppliance.Api.Disks;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Protocols.Disks;

namespace GridAppliance.Disks;

/// <summary>Wishes for systems on disks, and for what is on them to go: each node gets an operation of its own, or says why not. A dry run asks the same questions and starts nothing.</summary>
sealed class InstallRequests(OperationRunner operations, InstallDisk install, NodeDirectory nodes, BootCatalogState catalog, ApplianceOptions options, TimeProvider time)
{
    const int TokenOctets = 16;

    public Task<ChangeDocument> InstallAsync(IReadOnlyList<Node> range, NodeInstallRequest request, string actor, CancellationToken cancellationToken) =>
        NodeSubmissions.SubmitAsync(operations, range, node => Plan(node, range.Count > 1, request, actor), request.DryRun, cancellationToken);

    public Task<ChangeDocument> ReleaseAsync(IReadOnlyList<Node> range, NodeReleaseRequest request, string actor, CancellationToken cancellationToken) => NodeSubmissions.SubmitAsync(operations, range, node =>
        request.Wipe is not ("quick" or "full") ? (null, $"there is no wipe '{request.Wipe}': quick or full")
        : ReleaseNode.Refusal(node) is { } refusal ? (null, refusal)
        : (ReleaseNode.For(node, request.Wipe == "full", actor), $"{node.Name} will boot the tiny image, wipe its disk {node.Disk!.Name} ({(request.Wipe == "full" ? "every octet" : "both ends of it and of its partitions")}), read that back, and be idle"), request.DryRun, cancellationToken);

    (NewOperation?, string) Plan(Node node, bool isOneOfMany, NodeInstallRequest request, string actor)
    {
        if (request.Image != RootImage.Debian) return (null, $"there is no image '{request.Image}' for disks: {RootImage.Debian}");
        if (install.Refusal(node) is { } refusal) return (null, refusal);
        if (isOneOfMany && (request.HostName is not null || request.Address is not null)) return (null, "a host name and an address are for one node, and this is a range of several");
        if (Choose(node, request, out var problem) is not { } disk) return (null, problem);
        if (CloudInput.Read(request, node.Name, options.Networks.FirstOrDefault(network => network.Name == node.Network), out var wrong) is not { } settings) return (null, wrong!);
        if (settings.Address is { Address: var own } && nodes.Current.Nodes.FirstOrDefault(other => other.Id != node.Id && (other.Ip == own || other.Disk?.Settings.Address?.Address == own)) is { } owner) return (null, $"{own} is {owner.Name}'s");
        var root = catalog.Current!.Root!.ForDisks!;
        if (root.Size > DiskLayout.EfiSystemSize) return (null, $"the image has {root.Size} octets, and {DiskLayout.EfiSystemSize} is the most that can be installed");
        var written = new WrittenDisk
        {
            Id = Guid.NewGuid(), Name = disk.Name, Serial = disk.Serial, Wwn = disk.Wwn, SizeBytes = disk.SizeBytes, Image = root.Name, Digest = root.Digest, Settings = settings,
            Token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenOctets)), Since = time.GetUtcNow(), By = actor,
        };
        var network = settings.Address is { } address ? $"at {address}" : "with an address from DHCP";
        var place = $"{disk.Name} ({disk.SizeBytes >> 20} MiB{(disk.Model is { } model ? $", {model}" : "")}{(disk.Serial is { } serial ? $", serial {serial}" : "")})";
        return (InstallDisk.For(node, written, request.Overwrite is not null, actor),
            $"{node.Name} will get {root.Name} on {place}, as {settings.HostName}, {network}, with {(settings.SshKeys.Length == 1 ? "1 SSH key" : $"{settings.SshKeys.Length} SSH keys")}, and boot from there; {(request.Overwrite is null ? "unless its agent finds data on it" : "data on it is lost")}");
    }

    static DiskDocument? Choose(Node node, NodeInstallRequest request, out string problem)
    {
        var disks = node.Inventory?.Disks ?? [];
        var found = disks.Where(disk => Means(disk, request.Disk)).ToList();
        problem = found.Count > 1 ? $"{node.Name} has {found.Count} disks that are '{request.Disk}'"
            : found is not [var one] ? $"{node.Name} has no disk '{request.Disk}'; {(disks.Count == 0 ? "it has told of none yet" : $"it has {string.Join(", ", disks.Take(16).Select(disk => disk.Name))}")}"
            : one.Removable ? $"{one.Name} is removable"
            : one.SizeBytes < DiskLayout.SmallestDisk ? $"{one.Name} has {one.SizeBytes >> 20} MiB, and {DiskLayout.SmallestDisk >> 20} are needed"
            : request.Overwrite is { } over && !Means(one, over) ? $"'{over}' is not the disk {one.Name}: name the one that may be written over"
            : "";
        return problem.Length == 0 ? found[0] : null;
    }

    static bool Means(DiskDocument disk, string name) => name.Length > 0 && (disk.Name == name || disk.Serial == name || disk.Wwn == name);
}
