using System.CommandLine;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands.Resources;

sealed class NodeInstallCommand : ChangeCommand
{
    const int LargestFile = 1 << 20;

    readonly Argument<string> image = new("IMAGE") { Description = "debian." };
    readonly Option<string> disk = new("--disk") { Description = "As `gridctl node show` has it: a name such as vda, a serial number or a world-wide name.", Required = true };
    readonly Option<string?> hostName = new("--hostname") { Description = "In place of the node's name." };
    readonly Option<FileInfo[]> keys = new("--ssh-key") { Description = "File of public keys, as authorized_keys: who may log in as the user debian." };
    readonly Option<string?> address = new("--address") { Description = "Such as 10.77.0.60/24; without it, DHCP." };
    readonly Option<string?> gateway = new("--gateway") { Description = "With --address." };
    readonly Option<string[]> dns = new("--dns") { Description = "A name server's address." };
    readonly Option<string?> overwrite = new("--overwrite") { Description = "The disk once more: what is on it may be lost." };

    public NodeInstallCommand() : base("install", "Write a system to a disk of idle nodes, and have them boot from there.")
    {
        Add(image);
        foreach (var option in (Option[])[disk, hostName, keys, address, gateway, dns, overwrite]) Add(option);
    }

    protected override string Verb => "write a system to a disk of";

    protected override Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation)
    {
        var files = session.Parsed.GetValue(keys) ?? [];
        try
        {
            return session.Client.InstallNodes(new()
            {
                Range = range, Image = session.Parsed.GetRequiredValue(image), Disk = session.Parsed.GetRequiredValue(disk), HostName = session.Parsed.GetValue(hostName),
                SshKeys = [.. files.SelectMany(PublicKeys)], Address = session.Parsed.GetValue(address), Gateway = session.Parsed.GetValue(gateway),
                Dns = session.Parsed.GetValue(dns) ?? [], Overwrite = session.Parsed.GetValue(overwrite), DryRun = dryRun,
            }, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(e.Message, "--ssh-key names a file of public keys");
        }
    }

    /// <summary>A private key that was named by mistake does not leave this machine.</summary>
    static string[] PublicKeys(FileInfo file)
    {
        if (file.Length > LargestFile) throw new IOException($"{file.Name} is too large for a file of public keys");
        var lines = File.ReadAllLines(file.FullName);
        return lines.Any(line => line.Contains("PRIVATE KEY", StringComparison.Ordinal)) ? throw new IOException($"{file.Name} is a private key") : lines;
    }
}
