using System.Diagnostics;
using System.Security.Cryptography;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

/// <summary>
/// Debian packages that a module carries, unpacked when it is built: a node needs neither a package manager nor a way to a mirror, and what it gets is signed as a whole. Their own scripts are
/// not run anywhere; users and the like stand in the manifest. What only people read is left out.
/// </summary>
static class DebianPackages
{
    static readonly string[] forPeople = ["usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/", "usr/share/bash-completion/", "usr/share/doc-base/"];

    /// <exception cref="IOException">A package cannot be read.</exception>
    public static async Task<(IReadOnlyList<ModulePackage> Packages, IReadOnlyList<ModuleFile> Files)> UnpackAsync(string folder, CancellationToken cancellation)
    {
        var debs = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.deb").Order(StringComparer.Ordinal).ToList() : [];
        var root = Directory.CreateTempSubdirectory("gridctl-").FullName;
        try
        {
            var packages = new List<ModulePackage>();
            foreach (var deb in debs)
            {
                var fields = (await RunAsync(["dpkg-deb", "--show", "--showformat=${Package}\\n${Version}\\n${Conflicts}\\n", deb], cancellation)).Split('\n');
                packages.Add(new() { Name = fields[0], Version = fields[1], Sha256 = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(deb, cancellation))), Conflicts = Names(fields[2]) });
                await RunAsync(["dpkg-deb", "--extract", deb, root], cancellation);
            }
            if (!ModuleFolder.TryFiles(root, ModuleManifest.RootFolder + "/", out var files, out var problem)) throw new IOException(problem);
            return (packages, [.. files.Where(file => !forPeople.Any(place => file.Path.StartsWith($"{ModuleManifest.RootFolder}/{place}", StringComparison.Ordinal)))]);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Those that may not be there in any version; a conflict with some versions is Debian's own business within a release.</summary>
    static IReadOnlyList<string>? Names(string conflicts) =>
        conflicts.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(one => !one.Contains('(')).ToList() is { Count: > 0 } names ? names : null;

    static async Task<string> RunAsync(string[] command, CancellationToken cancellation)
    {
        var program = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(program) ?? throw new IOException($"{command[0]} did not start");
        var said = process.StandardError.ReadToEndAsync(cancellation);
        var text = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? text : throw new IOException($"{string.Join(' ', command)}: {(await said).Trim()}");
    }
}
