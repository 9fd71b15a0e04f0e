using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Cli.Terminal;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Cli.Commands;

/// <summary>What a package holds and would do: a file's, for which no appliance is asked, or one of the catalogue. Of a file's signature it says whose it is, not whether anybody trusts it.</summary>
sealed class ModuleShowCommand : GridctlCommand
{
    readonly Argument<string> what = new("MODULE|FILE") { Description = "A package's file, or a module's name (or NAME@VERSION) in the catalogue." };

    public ModuleShowCommand() : base("show", "What a module needs, holds and would change.") => Add(what);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetRequiredValue(what);
        var (manifest, signer) = File.Exists(wanted) ? await FileAsync(wanted, cancellation) : await session.Client.GetModule(wanted, cancellation) is { Manifest: { } known } module ? (known, module.SignedBy ?? "")
            : throw new UsageException($"the appliance does not say what is in {wanted}", "import it again");
        session.Show(manifest, ApiJson.Default.ModuleManifest, shown => session.Terminal.Facts(Facts(shown, signer)));
        return ExitStatus.Done;
    }

    static async Task<(ModuleManifest Manifest, string Signer)> FileAsync(string path, CancellationToken cancellation)
    {
        byte[] package;
        try { package = await File.ReadAllBytesAsync(path, cancellation); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new UsageException(e.Message, "check the file's name"); }
        if (!PackageHeader.TryRead(package.AsSpan(0, Math.Min(package.Length, PackageHeader.MaximumLength)), out var header, out _)) throw Refused(PackageProblem.NotAPackage.Say());
        var signer = AgentSignature.Fingerprint(header.Key);
        using var stream = new MemoryStream(package, writable: false);
        if (PackageReader.Verify(stream, signer) is var problem && problem != PackageProblem.None) throw Refused(problem.Say());
        var verdict = PackageReader.Inspect(stream);
        return verdict.IsAccepted ? (verdict.Manifest, signer) : throw Refused(verdict.Said);
    }

    static UsageException Refused(string problem) => new($"the package is refused: {problem}", "build it again, or get it from whoever made it");

    static IEnumerable<(string, Cell?)> Facts(ModuleManifest manifest, string signer)
    {
        yield return ("module", new($"{manifest.Name} {manifest.Version}", Tone.Strong));
        yield return ("class", manifest.Class);
        if (manifest.Summary is { } summary) yield return ("what", summary);
        yield return ("signed by", signer);
        if (manifest.Start is { } start) yield return ("starts", string.Join(' ', start));
        if (manifest.Setup is { } setup) yield return ("sets up", string.Join(' ', setup));
        if (manifest.Stop is { } stop) yield return ("stops by", string.Join(' ', stop));
        if (manifest.Health is { } health)
            yield return ("healthy when", health.Command is { } command ? string.Join(' ', command) + " says so" : $"port {(health.Port is { } port ? $"{port}" : health.PortParameter)} answers");
        foreach (var need in Needs(manifest.Needs)) yield return ("needs", need);
        foreach (var package in manifest.Packages ?? []) yield return ("package", $"{package.Name} {package.Version}");
        foreach (var one in manifest.Files ?? []) yield return ("file", $"{one.Path} ({one.Mode ?? "0755"} {one.Owner}:{one.Group})");
        foreach (var user in manifest.Users ?? []) yield return ("user", $"{user.Name} ({user.Id})");
        foreach (var (name, value) in manifest.Sysctls ?? new Dictionary<string, string>()) yield return ("sysctl", $"{name} = {value}");
        foreach (var module in manifest.KernelModules ?? []) yield return ("kernel module", module);
        foreach (var mount in manifest.Mounts ?? []) yield return ("mount", mount.Source is { } source ? $"{mount.Path}: {source}, read-only" : $"{mount.Path}: {mount.SizeMiB} MiB of memory");
        if (manifest.Firewall is { } rules) yield return ("firewall", $"table inet {ModuleManifest.TableOf(manifest.Name)}, from {rules}");
        foreach (var host in manifest.Hosts ?? []) yield return ("hosts", $"{host.Address} {string.Join(' ', host.Names)}");
        foreach (var (name, parameter) in manifest.Parameters ?? new Dictionary<string, ModuleParameter>())
            yield return ("parameter", $"{name} ({parameter.Type}{(parameter is { Minimum: { } least, Maximum: { } most } ? $", {least} to {most}" : "")}) = {parameter.Default}");
    }

    static IEnumerable<string> Needs(ModuleNeeds? needs)
    {
        if (needs?.Cpus is { } cpus) yield return $"{cpus} CPUs";
        if (needs?.MemoryMiB is { } memory) yield return $"{memory} MiB of memory";
        if (needs?.DiskMiB is { } disk) yield return $"{disk} MiB of disk";
        if (needs?.Network is true) yield return "a network";
        foreach (var module in needs?.Modules ?? []) yield return $"the module {module}";
    }
}
