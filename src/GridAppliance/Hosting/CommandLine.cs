namespace GridAppliance.Hosting;

/// <summary>What the program was asked to do.</summary>
abstract record CommandLine
{
    public const string DefaultConfiguration = "/etc/gridappliance/appliance.yaml";

    public const string Usage = """
        gridappliance: a bare-metal provisioning appliance in one daemon

          gridappliance serve [--config FILE] [--force]   serve the networks of FILE; --force: even beside another DHCP server
          gridappliance check [--config FILE]             say everything that is wrong with FILE, and serve nothing
          gridappliance --version

        FILE is /etc/gridappliance/appliance.yaml unless said otherwise. Exit status: 0 all is well, 1 it could not start, 2 the configuration is broken.
        """;

    public sealed record Serve(string Configuration, bool Force) : CommandLine;
    public sealed record Check(string Configuration) : CommandLine;
    public sealed record Help(string? Complaint) : CommandLine;
    public sealed record Version : CommandLine;

    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        if (args.IsEmpty) return new Help(null);
        var (configuration, force) = (DefaultConfiguration, false);
        for (var i = 1; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--config" when i + 1 < args.Length: configuration = args[++i]; break;
                case "--config": return new Help("--config wants a file");
                case "--force": force = true; break;
                case "-h" or "--help": return new Help(null);
                case var other: return new Help($"'{other}' is not an option of {args[0]}");
            }
        }
        return args[0] switch
        {
            "serve" => new Serve(configuration, force),
            "check" when force => new Help("--force is for serve"),
            "check" => new Check(configuration),
            "-h" or "--help" or "help" => new Help(null),
            "--version" => new Version(),
            var other => new Help($"'{other}' is not a command"),
        };
    }
}
