using System.CommandLine;
using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Cli.Commands;

/// <summary>Makes one signed file of a module's folder. Asks no appliance.</summary>
sealed class ModuleBuildCommand : GridctlCommand
{
    readonly Argument<DirectoryInfo> folder = new("DIR") { Description = $"The module's folder, with its {ModuleManifest.FileName}." };
    readonly Option<FileInfo?> output = new("--to") { Description = "The package to write (default: NAME-VERSION.gridmod here)." };
    readonly Option<FileInfo?> key = new("--key") { Description = "PEM of the ECDSA P-256 key that signs (default: ~/.config/gridappliance/module-key.pem, made when it is not there)." };

    public ModuleBuildCommand() : base("build", "Make a signed package of a folder.")
    {
        Add(folder);
        Add(output);
        Add(key);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        try
        {
            var from = session.Parsed.GetRequiredValue(folder).FullName;
            if (!ModuleFolder.TryRead(from, out var manifest, out var files, out var problem)) throw new UsageException(problem, "docs/modules.md says what a module is made of");
            var (carried, unpacked) = await DebianPackages.UnpackAsync(Path.Combine(from, ModuleFolder.DebsFolder), cancellation);
            // What the author wrote stands over what a package brings.
            files = [.. files, .. unpacked.ExceptBy(files.Select(file => file.Path), file => file.Path)];
            if (carried.Count > 0) manifest = manifest with { Packages = carried };
            using var signer = OpenKey(session.Parsed.GetValue(key)?.FullName, session);
            var package = ModulePackageWriter.Write(manifest, files, signer);
            // What no appliance would take is not worth writing.
            using var check = new MemoryStream(package);
            var signed = PackageReader.Verify(check, AgentSignature.Fingerprint(signer.ExportSubjectPublicKeyInfo()));
            var verdict = signed == PackageProblem.None ? PackageReader.Inspect(check) : new(signed);
            if (!verdict.IsAccepted) throw new UsageException($"the package would be refused: {verdict.Said}", "docs/modules.md says what a module is made of");
            var to = session.Parsed.GetValue(output)?.FullName ?? Path.GetFullPath($"{manifest.Name}-{manifest.Version}.gridmod");
            await File.WriteAllBytesAsync(to + ".new", package, cancellation);
            File.Move(to + ".new", to, overwrite: true);
            session.Terminal.Line($"{to}: {manifest.Name} {manifest.Version}, {files.Count} files, {package.Length} bytes, sha256 {Convert.ToHexStringLower(SHA256.HashData(package))}");
            return ExitStatus.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception) { throw new UsageException(e.Message, "check the folder's and the files' names"); }
    }

    static ECDsa OpenKey(string? path, Session session)
    {
        var usual = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "gridappliance", "module-key.pem");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            if (path is null && !File.Exists(usual)) Keep(key, usual, session);
            else key.ImportFromPem(File.ReadAllText(path ?? usual));
            // A public key is read as gladly, and found out here.
            _ = key.SignHash(new byte[32]);
            if (key.KeySize != 256) throw new CryptographicException("the key is not on the curve P-256");
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new UsageException($"{path ?? usual} is no key to sign with: {e.Message}", "openssl ecparam -name prime256v1 -genkey -noout makes one");
        }
    }

    static void Keep(ECDsa key, string path, Session session)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var text = new StreamWriter(file)) text.WriteLine(key.ExportPkcs8PrivateKeyPem());
        var open = Path.ChangeExtension(path, ".pub.pem");
        File.WriteAllText(open, key.ExportSubjectPublicKeyInfoPem() + "\n");
        session.Terminal.Note($"made a key to sign with; an appliance takes its packages once {open} lies in its dataDir/module-keys");
    }
}
