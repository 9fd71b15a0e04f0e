using System.Collections.Immutable;
using GridAppliance.Hosting;

namespace GridAppliance.Consoles.Scripts;

/// <summary>The scripts there are: those that come with the appliance, and an operator's own in <c>console-scripts/</c> of dataDir, which go before ours of the same name.</summary>
sealed partial class ConsoleScripts
{
    const string Embedded = "console-script/";
    const long LargestFile = 64 * 1024;

    readonly ImmutableSortedDictionary<string, ConsoleScript> scripts;

    public ConsoleScripts(ApplianceOptions options, ILogger<ConsoleScripts> log)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, ConsoleScript>(StringComparer.Ordinal);
        var assembly = typeof(ConsoleScripts).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Embedded, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var (script, problems) = ConsoleScriptFile.Read(resource[Embedded.Length..], reader.ReadToEnd(), resource);
            all[resource[Embedded.Length..]] = script ?? throw new InvalidOperationException(string.Join("; ", problems));
        }
        foreach (var script in Own(Path.Combine(options.DataDir, "console-scripts"), log)) all[script.Name] = script;
        scripts = all.ToImmutable();
    }

    public IEnumerable<ConsoleScript> All => scripts.Values;

    public ConsoleScript? Find(string name) => scripts.GetValueOrDefault(name);

    /// <summary>One that is wrong is said and left out; the appliance starts all the same.</summary>
    static IEnumerable<ConsoleScript> Own(string directory, ILogger log)
    {
        if (!Directory.Exists(directory)) yield break;
        foreach (var file in Directory.EnumerateFiles(directory, "*.yaml").Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!ConsoleScriptFile.IsName(name) || new FileInfo(file).Length > LargestFile)
            {
                LogLeftOut(log, file, "its name is not of lower-case letters, digits and hyphens, or it is over 64 KiB");
                continue;
            }
            var (script, problems) = ConsoleScriptFile.Read(name, File.ReadAllText(file), file);
            foreach (var problem in problems) LogLeftOut(log, file, problem.ToString());
            if (script is not null) yield return script;
        }
    }

    [LoggerMessage(LogLevel.Warning, "the console script {File} is left out: {Reason}")]
    static partial void LogLeftOut(ILogger log, string file, string reason);
}
