using System.CommandLine;
using GridAppliance.Api;

namespace GridAppliance.Cli.Commands;

sealed class ModuleImportCommand : GridctlCommand
{
    readonly Argument<FileInfo> file = new("FILE") { Description = "A signed module package." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be sent, and send nothing." };

    public ModuleImportCommand() : base("import", "Put a signed package into the catalogue.")
    {
        Add(file);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var package = session.Parsed.GetRequiredValue(file);
        try
        {
            await using var bytes = package.OpenRead();
            if (session.Parsed.GetValue(dryRun))
            {
                session.Terminal.Line($"would import {package.Name}, {bytes.Length} bytes");
                return ExitStatus.Done;
            }
            session.Show(await session.Client.ImportModule(bytes, cancellation), ApiJson.Default.ModuleDocument,
                module => session.Terminal.Line($"{module.Name} {module.Version} imported ({module.Digest})"));
            return ExitStatus.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new UsageException($"{package} cannot be read: {e.Message}", "check the file's name"); }
    }
}
