using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using GridAppliance.Api.Agents;

namespace GridAppliance.Api.Modules;

/// <summary>Reads manifests. Whatever is in the octets, the answer is a manifest within all bounds or one sentence that says what is wrong.</summary>
public static class ManifestReader
{
    const int Many = 1000, Few = 64;

    /// <summary>Places that are the agent's or the kernel's, or kept line by line: no module puts a file or a mount there, or above.</summary>
    static readonly string[] reserved =
    [
        "/proc", "/sys", "/dev", "/init", "/bin/grid-agent", "/bin/grid-run", "/bin/grid-dhcp", "/bin/grid-hardware", "/bin/grid-hotplug", "/bin/grid-recover", "/lib/modules",
        "/run/grid-agent", "/var/lib/grid", "/var/log/grid", "/opt/grid", "/etc/passwd", "/etc/group", "/etc/hosts",
    ];

    /// <summary>
    /// What the agent's orders begin with (<c>module</c> of <c>module.run</c>, <c>reboot</c>) and its own programs: a module or class of such a name would be taken for them by whoever reads an order, a
    /// record or a timeline. The second part of an order's kind says nothing by itself, and is free.
    /// </summary>
    static readonly HashSet<string> agentsOwn = [.. OrderKinds.All.Select(kind => kind.Split('.')[0]), .. reserved.Select(Path.GetFileName).OfType<string>().Where(name => name.StartsWith("grid-", StringComparison.Ordinal))];

    public static bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(true)] out ModuleManifest? manifest, out string problem) => TryRead(json, ApiJson.Default, out manifest, out problem);

    /// <summary>As an author writes it: comments and trailing commas are allowed.</summary>
    public static bool TryReadSource(ReadOnlySpan<byte> json, [NotNullWhen(true)] out ModuleManifest? manifest, out string problem) =>
        TryRead(json, new ApiJson(new(ApiJson.Default.Options) { ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }), out manifest, out problem);

    static bool TryRead(ReadOnlySpan<byte> json, ApiJson context, [NotNullWhen(true)] out ModuleManifest? manifest, out string problem)
    {
        manifest = null;
        problem = $"it is longer than {ModuleManifest.MaximumLength} octets";
        if (json.Length > ModuleManifest.MaximumLength) return false;
        try
        {
            var read = JsonSerializer.Deserialize(json, context.ModuleManifest);
            problem = read is null ? "it is empty" : Problem(read) ?? "";
            manifest = problem.Length == 0 ? read : null;
        }
        catch (JsonException e)
        {
            problem = $"{e.Path ?? "$"}, line {(e.LineNumber ?? 0) + 1}: {e.Message.Split('.', '\n')[0]}";
        }
        return manifest is not null;
    }

    /// <summary>What is wrong with a manifest that was read, as a sentence; null when nothing is.</summary>
    static string? Problem(ModuleManifest m) =>
        !ModuleManifest.IsName(m.Name) ? "name: lower-case letters, digits and dashes, 63 at most"
        : !ModuleManifest.IsName(m.Class) ? "class: lower-case letters, digits and dashes, 63 at most"
        : !m.IsAgent && (agentsOwn.Contains(m.Name) || agentsOwn.Contains(m.Class)) ? $"{(agentsOwn.Contains(m.Name) ? m.Name : m.Class)} is a word of the agent's own orders: a module may not shadow it"
        : !ModuleManifest.IsVersion(m.Version) ? "version: letters, digits, '.', '+' and '-', 63 at most"
        : m.Summary is { Length: > 1024 } ? "summary: 1024 characters at most"
        : (m.Start is { } start ? Arguments(start, "start") : null) ?? (m.Setup is { } setup ? Arguments(setup, "setup") : null) ?? (m.Stop is { } stop ? Arguments(stop, "stop") : null)
        ?? Each(m.Programs, Few, "programs", program => program.Length > 0 && IsWord(program) ? null : "is no file of the package")
        ?? (m.TimeoutSeconds is < 1 or > 300 ? "timeoutSeconds: 1 to 300" : null)
        ?? (m.Health is { } health ? Health(health, m.Parameters) : null) ?? Needs(m)
        ?? Each(m.Files, Many, "files", File) ?? Twice(m.Files?.Select(file => file.Path), "files")
        ?? Each(m.Packages, Many, "packages", Package) ?? Twice(m.Packages?.Select(package => package.Name), "packages")
        ?? Each(m.Users, Few, "users", User) ?? Twice(m.Users?.Select(user => user.Name), "users")
        ?? Each(m.Sysctls?.ToList(), Few, "sysctls", entry => !IsDotted(entry.Key) ? "is no sysctl's name" : IsOfQueues(entry.Key) ? "is of shared memory, semaphores or queues, of which each module has its own" : !IsPlainText(entry.Value, 256) ? "has a value that is not one line of text" : null)
        ?? Each(m.KernelModules, Few, "kernelModules", name => IsWord(name) ? null : "is no kernel module's name")
        ?? Each(m.Mounts, Few, "mounts", Mount) ?? Twice(m.Mounts?.Select(mount => mount.Path), "mounts")
        ?? (m.Firewall is { } rules && !PackageReader.IsSafe(rules) ? "firewall: a file of the package" : null)
        ?? Each(m.Provides?.ToList(), Few, "provides", entry => ModuleManifest.IsName(entry.Key) && entry.Value is > 0 and <= 1_000_000 ? null : "is no name with a number of units")
        ?? Each(m.Hosts, Few, "hosts", host => !IPAddress.TryParse(host.Address, out _) ? "has no IP address"
            : host.Names is not { Count: > 0 and <= 16 } || !host.Names.All(IsHostName) ? "has a name that is no host name" : null)
        ?? Each(m.Parameters?.ToList(), Few, "parameters", entry => !IsWord(entry.Key) || entry.Key.Contains('-') ? "is no parameter's name"
            : entry.Value is not { Type: "text" or "number" or "flag" } ? "is of no known type (text, number, flag)" : !entry.Value.Accepts(entry.Value.Default) ? "has a default that it would not accept" : null);

    static string? Arguments(IReadOnlyList<string> arguments, string key) =>
        arguments is not { Count: > 0 and <= Few } || arguments.Any(argument => argument is null || argument.Length > 4096 || argument.Contains('\0')) || !IsProgram(arguments[0])
            ? $"{key}: 1 to {Few} arguments, the first a file of the package or an absolute path" : null;

    static bool IsProgram(string program) => program.Length > 1 && PackageReader.IsSafe(program[0] == '/' ? program[1..] : program);

    static string? Health(ModuleHealth health, IReadOnlyDictionary<string, ModuleParameter>? parameters) =>
        new[] { health.Port is not null, health.PortParameter is not null, health.Command is not null }.Count(said => said) != 1 ? "health: one of port, portParameter, command"
        : health.Port is < 1 or > 65535 ? "health.port: 1 to 65535"
        : health.PortParameter is { } name && parameters?.GetValueOrDefault(name) is not { Type: "number", Minimum: >= 1, Maximum: <= 65535 } ? "health.portParameter: a number parameter from 1 to 65535"
        : health.Command is { } command ? Arguments(command, "health.command") : null;

    static string? Needs(ModuleManifest m) => m.Needs is not { } needs ? null
        : needs.Cpus is < 1 or > 4096 ? "needs.cpus: 1 to 4096"
        : needs.MemoryMiB is < 1 or > 1 << 24 ? "needs.memoryMiB: 1 to 16777216"
        : needs.DiskMiB is < 1 or > 1 << 24 ? "needs.diskMiB: 1 to 16777216"
        : needs.Ports is { } ports && (ports.Count > Few || ports.Any(port => port is < 1 or > 65535)) ? "needs.ports: 1 to 65535 each"
        : Each(needs.Modules, Few, "needs.modules", need => !ModuleManifest.IsName(need) ? "is no module's name" : need == m.Name ? "is the module itself" : null) ?? Twice(needs.Modules, "needs.modules");

    static string? File(ModuleFileRule file) =>
        !IsPlace(file.Path) ? "has a path that a module may not take"
        : file.Owner is < 0 or > 65534 || file.Group is < 0 or > 65534 ? "has an owner or group beyond 0 to 65534"
        : file.Mode is null || TryMode(file.Mode, out _) ? null : "has a mode that is not three octal digits with an optional leading 0";

    static string? Package(ModulePackage package) =>
        !IsPackageName(package.Name) || !IsPlainText(package.Version, 128) ? "has no package's name and version"
        : package.Sha256 is not { Length: 64 } || !package.Sha256.All(char.IsAsciiHexDigitLower) ? "has no SHA-256"
        : package.Conflicts is { } conflicts && !(conflicts.Count <= Few && conflicts.All(IsPackageName)) ? "conflicts with what is no package's name" : null;

    static string? Mount(ModuleMount mount) =>
        !IsPlace(mount.Path) ? "has a path that a module may not take"
        : mount.SizeMiB is null == mount.Source is null ? "has neither or both of sizeMiB and source"
        : mount.SizeMiB is < 1 or > 1 << 20 ? "has no size from 1 MiB to 1 TiB"
        : mount.Source is null || IsPlace(mount.Source) ? null : "has a source that a module may not have";

    static string? User(ModuleUser user) => !IsWord(user.Name) || user.Name.Length > 32 || char.IsAsciiDigit(user.Name[0]) ? "has no user's name" : user.Id is < 100 or > 64999 ? "has no number from 100 to 64999" : null;

    /// <summary>The permission bits that <c>0644</c> or <c>644</c> says.</summary>
    public static bool TryMode(string text, out int mode)
    {
        mode = 0;
        if (text.Length is not (3 or 4) || (text.Length == 4 && text[0] != '0')) return false;
        foreach (var digit in text)
        {
            if (digit is < '0' or > '7') return false;
            mode = mode * 8 + (digit - '0');
        }
        return true;
    }

    /// <summary>An absolute path of ordinary names that is neither reserved, nor below, nor above what is.</summary>
    /// <param name="path">The path.</param>
    /// <param name="strict">Without blanks and the marks that configurations and mount options quote or separate by.</param>
    public static bool IsPlace(string? path, bool strict = true) =>
        path is { Length: > 1 and <= 1024 } && path[0] == '/' && PackageReader.IsSafe(path[1..]) && (!strict || path.All(c => c is > ' ' and < '\x7f' and not ('"' or '\'' or ',' or ':')))
        && !IsReserved(path) && !reserved.Any(place => place.StartsWith(path + "/", StringComparison.Ordinal));

    /// <summary>Whether an absolute path is, or lies below, something of the agent's or the kernel's.</summary>
    public static bool IsReserved(string path) => reserved.Any(place => path == place || path.StartsWith(place + "/", StringComparison.Ordinal));

    static bool IsWord(string? text) => text is { Length: > 0 and <= 63 } && text[0] is not '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    static bool IsPackageName(string? text) => text is { Length: > 1 and <= 128 } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '+' or '-' or '.');

    static bool IsDotted(string? text) => text is { Length: > 0 and <= 255 } && text.Split('.') is { Length: > 1 } parts && parts.All(IsWord);

    /// <summary>Settings of an IPC namespace (ipc_namespaces(7)): the node's would not be in force where a module's programs run.</summary>
    static bool IsOfQueues(string name) => ((string[])["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."]).Any(start => name.StartsWith(start, StringComparison.Ordinal));

    static bool IsHostName(string? text) => text is { Length: > 0 and <= 253 } && text.Split('.').All(IsWord);

    static bool IsPlainText(string? text, int longest) => text is { Length: > 0 } && text.Length <= longest && text.All(c => c is >= ' ' and < '\x7f');

    static string? Each<T>(IReadOnlyList<T>? list, int most, string key, Func<T, string?> check)
    {
        if (list is null) return null;
        if (list.Count > most) return $"{key}: {most} at most";
        for (var i = 0; i < list.Count; i++)
            if (list[i] is null) return $"{key}[{i}] is null";
            else if (check(list[i]) is { } problem) return $"{key}[{i}] {problem}";
        return null;
    }

    static string? Twice(IEnumerable<string>? names, string key) => names?.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } twice ? $"{key}: {twice.Key} stands there twice" : null;
}
