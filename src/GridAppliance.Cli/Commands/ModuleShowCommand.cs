using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Cli.Terminal;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Cli.Commands;

/// <summary>What a package is. Asks no appliance, and says of the signature whose it is, not whether anybody trusts it.</summary>
sealed class ModuleShowCommand : GridctlCommand
{
    readonly Argument<FileInfo> file = new("FILE") { Description = "A package." };

    public ModuleShowCommand() : base("show", "What a package is, and whose signature it carries.") => Add(file);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        byte[] package;
        try { package = await File.ReadAllBytesAsync(session.Parsed.GetRequiredValue(file).FullName, cancellation); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new UsageException(e.Message, "check the file's name"); }
        if (!PackageHeader.TryRead(package.AsSpan(0, Math.Min(package.Length, PackageHeader.MaximumLength)), out var header, out _)) throw Refused(PackageProblem.NotAPackage);
        var signer = AgentSignature.Fingerprint(header.Key);
        using var stream = new MemoryStream(package, writable: false);
        var problem = PackageReader.Verify(stream, signer);
        ModuleManifest? manifest = null;
        if (problem == PackageProblem.None) problem = PackageReader.Inspect(stream, out manifest);
        if (problem != PackageProblem.None) throw Refused(problem);
        session.Show(manifest!, ApiJson.Default.ModuleManifest, shown => session.Terminal.Facts(Facts(shown, signer)));
        return ExitStatus.Done;
    }

    static UsageException Refused(PackageProblem problem) => new($"the package is refused: {problem.Say()}", "build it again, or get it from whoever made it");

    static IEnumerable<(string, Cell?)> Facts(ModuleManifest manifest, string signer)
    {
        yield return ("module", new($"{manifest.Name} {manifest.Version}", Tone.Strong));
        yield return ("class", manifest.Class);
        if (manifest.Summary is { } summary) yield return ("what", summary);
        yield return ("signed by", signer);
        yield return ("starts", string.Join(' ', manifest.Start));
    }
}
