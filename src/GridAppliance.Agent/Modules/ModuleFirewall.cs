using System.Globalization;
using System.Text;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// A module's firewall rules: the content of one table that is its own, loaded by the nft that its view has. Taking them back needs no program: the table goes whole, by its name.
/// </summary>
sealed class ModuleFirewall(ModuleLauncher launcher, NodeChanges changes, ModuleView views, ModuleStore store, TimeProvider clock)
{
    const string Loader = "/usr/sbin/nft";
    const string Composed = "firewall.nft";

    /// <returns>Why the table could not be made; none when it is there.</returns>
    public async Task<Trouble> LoadAsync(ModuleRecord record, CancellationToken cancellationToken)
    {
        if (record.Manifest.Firewall is not { } rules) return null;
        var table = ModuleManifest.TableOf(record.Name);
        if (changes.HasTable(table)) return null;
        var view = views.Of(record);
        if (!File.Exists(ViewPath.ResolveWhole(view, Loader))) return $"there is no {Loader} to load its firewall rules with: carry Debian's nftables, or need a module that does";
        var own = ViewPath.ResolveWhole(view, ModuleManifest.FolderOf(record.Name));
        var composed = $"{ModuleManifest.FolderOf(record.Name)}/{Composed}";
        await File.WriteAllTextAsync(Path.Combine(own, Composed), Compose(table, record.Parameters, await File.ReadAllTextAsync(Path.Combine(own, rules), cancellationToken)), cancellationToken);
        if (await launcher.RunAsync(record, [Loader, "-f", composed], store.LogFile(record.Name), ModuleHealthCheck.LimitOf(record), clock, cancellationToken) is { IsNone: false } trouble) return trouble;
        return changes.HasTable(table) ? null : $"its firewall rules did not make the table {table}";
    }

    /// <summary>The parameters as definitions (a text is a set, so that it may hold several), and the rules inside of the table. Values hold nothing that ends a definition.</summary>
    public static string Compose(string table, IReadOnlyDictionary<string, string> parameters, string rules)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in parameters)
            text.Append(CultureInfo.InvariantCulture, $"define param_{name} = {(long.TryParse(value, CultureInfo.InvariantCulture, out _) ? value : $"{{ {value} }}")}\n");
        return text.Append(CultureInfo.InvariantCulture, $"table inet {table} {{\n{rules}\n}}\n").ToString();
    }
}
