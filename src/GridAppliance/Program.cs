using System.Reflection;
using GridAppliance.Agents;
using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Consoles;
using GridAppliance.Disks;
using GridAppliance.Establish;
using GridAppliance.Fabric;
using GridAppliance.Grids;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Store;
using GridAppliance.Switches;
using GridAppliance.Web;
using Microsoft.Extensions.Logging.Console;

switch (CommandLine.Parse(args))
{
    case CommandLine.Serve serve: return await ServeAsync(serve);
    case CommandLine.Check check: return Load(check.Configuration) is null ? 2 : Say($"{check.Configuration} is good.");
    case CommandLine.Version: return Say($"gridappliance {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}");
    case CommandLine.Help { Complaint: null }: return Say(CommandLine.Usage);
    case CommandLine.Help help:
        Console.Error.WriteLine($"gridappliance: {help.Complaint}\n\n{CommandLine.Usage}");
        return 2;
    default: throw new InvalidOperationException("a command line of no known kind");
}

static async Task<int> ServeAsync(CommandLine.Serve serve)
{
    if (Load(serve.Configuration) is not { } options) return 2;
    try
    {
        using var data = DataDirectory.Hold(options.DataDir);
        using var app = Compose(options with { Force = serve.Force });
        await app.RunAsync();
        return 0;
    }
    catch (StartupException e)
    {
        Console.Error.WriteLine($"gridappliance: {e.Message.TrimEnd('.')}. {e.NextStep}");
        return 1;
    }
    catch (StoreException e)
    {
        Console.Error.WriteLine($"gridappliance: {e.Message}: {e.InnerException?.Message}. Make room or mend {options.DataDir}, then start again.");
        return 1;
    }
}

static IHost Compose(ApplianceOptions options)
{
    // Not a web application: each plane brings an HTTP server of its own, so that no socket serves what it should not.
    var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
    builder.Logging.ClearProviders().AddConsole(static console => console.FormatterName = JournalFormatter.Called).AddConsoleFormatter<JournalFormatter, ConsoleFormatterOptions>();
    builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
    // What fails a start is said once, in a sentence, by whoever started it; the host would log it with its stack, once for each service that it then stops.
    var serving = false;
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => serving && level >= LogLevel.Warning);

    var services = builder.Services;
    services.AddSingleton(options);
    services.AddSingleton(TimeProvider.System);
    services.AddSingleton<ApplianceProblems>();
    services.AddStore();
    services.AddNodes();
    services.AddOperations();
    services.AddAgents();
    services.AddModules();
    services.AddResources();
    services.AddDisks();
    services.AddGrids();
    services.AddEstablish();
    services.AddManagementPlane();
    services.AddGuard();
    services.AddBootServices();
    services.AddDhcp();
    services.AddSwitches();
    services.AddFabric();
    services.AddSan();
    services.AddPower();
    services.AddConsoles();

    var app = builder.Build();
    app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => serving = true);
    return app;
}

static ApplianceOptions? Load(string path)
{
    var (options, problems) = ConfigurationFile.Read(path, LocalInterface.Find);
    foreach (var problem in problems) Console.Error.WriteLine(problem);
    if (problems.Count > 0) Console.Error.WriteLine($"gridappliance: {problems.Count} problem{(problems.Count == 1 ? "" : "s")} in {path}; nothing was started.");
    return options;
}

static int Say(string text)
{
    Console.WriteLine(text);
    return 0;
}
