using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Packages;
using GridAppliance.Store;

namespace GridAppliance.Modules;

/// <summary>
/// The modules that nodes may be given. A package comes in as bytes: bounded, then its signature, then its archive, and nothing of it is kept before all of that has held.
/// Nodes trust the appliance's key and no other, so a package that somebody else signed, whom the appliance trusts, is sealed anew with the appliance's own.
/// </summary>
sealed class ModuleCatalog
{
    /// <summary>Far beyond any module for a node that lives in memory.</summary>
    public const int LargestPackage = 256 << 20;

    readonly Database database;
    readonly ModuleFiles files;
    readonly ApplianceKey key;
    readonly TrustedKeys trusted;
    readonly Timeline timeline;
    readonly TimeProvider time;
    readonly SemaphoreSlim importing = new(1, 1);
    volatile IReadOnlyList<CatalogEntry> entries;

    public ModuleCatalog(Database database, ModuleFiles files, ApplianceKey key, TrustedKeys trusted, Timeline timeline, TimeProvider time)
    {
        (this.database, this.files, this.key, this.trusted, this.timeline, this.time) = (database, files, key, trusted, timeline, time);
        entries = database.Read(ModuleStore.Load);
    }

    /// <summary>By name, the newest import of each name first.</summary>
    public IReadOnlyList<ModuleDocument> List() => [.. entries.OrderBy(entry => entry.Module.Name, StringComparer.Ordinal).ThenByDescending(entry => entry.Imported).Select(entry => entry.Module)];

    /// <summary>The module that <c>hello</c> (the newest import) or <c>hello@1.0</c> means; null when there is none.</summary>
    public ModuleDocument? Find(string wanted)
    {
        var at = wanted.IndexOf('@', StringComparison.Ordinal);
        var (name, version) = at < 0 ? (wanted, null) : (wanted[..at], wanted[(at + 1)..]);
        return entries.Where(entry => entry.Module.Name == name && (version is null || entry.Module.Version == version)).MaxBy(entry => entry.Imported)?.Module;
    }

    /// <summary>What a module of the catalogue says of itself.</summary>
    public ModuleManifest? ManifestOf(ModuleDocument module) => entries.FirstOrDefault(entry => entry.Module.Digest == module.Digest)?.Manifest;

    public ModuleDocument? Find(string name, string version) => entries.FirstOrDefault(entry => entry.Module.Name == name && entry.Module.Version == version)?.Module;

    /// <summary>Takes a package in. One that is there already is found, and nothing changes.</summary>
    public async Task<ModuleImport> ImportAsync(Stream package, string actor, CancellationToken cancellationToken)
    {
        using var staged = await files.StageAsync(default, package, LargestPackage, cancellationToken);
        return staged is null
            ? new ModuleImport.Refused($"the package is larger than {LargestPackage >> 20} MiB")
            : await ImportAsync(staged.Content, staged, isOwn: false, actor, cancellationToken);
    }

    /// <summary>Takes in a package that is trusted for where it comes from: whoever signed it, it counts as signed by the appliance. One that is there already is found without anything being written.</summary>
    /// <param name="package">Can seek; read from its present position, its beginning, to its end.</param>
    /// <param name="actor">Who takes it in.</param>
    /// <param name="cancellationToken">Nothing is kept.</param>
    public Task<ModuleImport> ImportOwnAsync(Stream package, string actor, CancellationToken cancellationToken) => ImportAsync(package, null, isOwn: true, actor, cancellationToken);

    /// <param name="package">What is looked at; can seek.</param>
    /// <param name="staged">The same where it need only be kept.</param>
    async Task<ModuleImport> ImportAsync(Stream package, StagedPackage? staged, bool isOwn, string actor, CancellationToken cancellationToken)
    {
        if (Problem(package, isOwn, out var archiveAt, out var signer, out var manifest) is { } problem) return new ModuleImport.Refused($"the package is refused: {problem}");
        package.Position = archiveAt;
        var archiveSha256 = await SHA256.HashDataAsync(package, cancellationToken);
        var archiveDigest = Convert.ToHexStringLower(archiveSha256);
        await importing.WaitAsync(cancellationToken);
        try
        {
            if (entries.FirstOrDefault(entry => entry.ArchiveDigest == archiveDigest) is { } same) return new ModuleImport.Accepted(same.Module, IsNew: false);
            if (Find(manifest!.Name, manifest.Version) is not null)
                return new ModuleImport.Refused($"{manifest.Name} {manifest.Version} is in the catalogue with other content; a changed module needs another version");
            if (ModuleNeedsPlan.Circle(manifest, name => Find(name) is { } other ? ManifestOf(other) : null) is { } circle) return new ModuleImport.Refused($"modules would need each other in a circle: {circle}");
            using var sealedAnew = staged is not null && signer == key.Fingerprint ? null : await SealAsync(package, archiveAt, archiveSha256, cancellationToken);
            var ours = sealedAnew ?? staged!;
            var digest = await files.KeepAsync(ours, cancellationToken);
            var module = new ModuleDocument
            {
                Name = manifest.Name, Version = manifest.Version, Class = manifest.Class, Summary = manifest.Summary, Digest = digest, SizeBytes = ours.Content.Length, SignedBy = isOwn ? key.Fingerprint : signer,
            };
            var added = new CatalogEntry(module, manifest, archiveDigest, time.GetUtcNow());
            // The file first: an entry without its file would be a promise that cannot be kept, a file without an entry is only clutter.
            await database.WriteAsync(connection =>
            {
                ModuleStore.Insert(connection, added);
                return timeline.Insert(connection, [new("module.imported", $"module {module.Name} {module.Version} was imported") { Actor = actor }]);
            }, events =>
            {
                entries = [.. entries, added];
                timeline.Publish(events);
            }, cancellationToken);
            return new ModuleImport.Accepted(module, IsNew: true);
        }
        finally
        {
            importing.Release();
        }
    }

    /// <summary>The same archive as a package of the appliance's own.</summary>
    async Task<StagedPackage> SealAsync(Stream package, int archiveAt, byte[] archiveSha256, CancellationToken cancellationToken)
    {
        package.Position = archiveAt;
        return (await files.StageAsync(ModulePackageWriter.Header(archiveSha256, key.PublicKey, text => key.Sign(text)), package, long.MaxValue, cancellationToken))!;
    }

    /// <returns>Null when nothing is wrong.</returns>
    string? Problem(Stream package, bool isOwn, out int archiveAt, out string signer, out ModuleManifest? manifest)
    {
        (archiveAt, signer, manifest) = (0, "", null);
        var start = new byte[PackageHeader.MaximumLength];
        if (!PackageHeader.TryRead(start.AsSpan(0, package.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)), out var header, out _)) return PackageProblem.NotAPackage.Say();
        signer = AgentSignature.Fingerprint(header.Key);
        archiveAt = header.Length;
        if (!isOwn && signer != key.Fingerprint && !trusted.Contains(signer)) return PackageProblem.UntrustedKey.Say();
        package.Position = 0;
        if (PackageReader.Verify(package, signer) is var problem && problem != PackageProblem.None) return problem.Say();
        var verdict = PackageReader.Inspect(package);
        manifest = verdict.Manifest;
        return verdict.IsAccepted ? null : verdict.Said;
    }
}

/// <param name="Module">What is told of it.</param>
/// <param name="Manifest">What it says of itself.</param>
/// <param name="ArchiveDigest">SHA-256 of the part that is the same whoever signed it.</param>
sealed record CatalogEntry(ModuleDocument Module, ModuleManifest Manifest, string ArchiveDigest, DateTimeOffset Imported);

abstract record ModuleImport
{
    ModuleImport() { }

    /// <param name="IsNew">False when it was in the catalogue already.</param>
    public sealed record Accepted(ModuleDocument Module, bool IsNew) : ModuleImport;

    public sealed record Refused(string Reason) : ModuleImport;
}
