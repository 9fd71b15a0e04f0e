using System.Net;
using GridAppliance.Consoles;
using GridAppliance.Protocols.Addresses;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace GridAppliance.Hosting.Configuration;

/// <summary>Reads <c>appliance.yaml</c>: the options, or every problem at once.</summary>
static class ConfigurationFile
{
    /// <summary>A configuration is a page or two; anything larger is not one.</summary>
    const long LargestFile = 1 << 20;

    /// <returns>Options when <c>Problems</c> is empty, null otherwise.</returns>
    public static (ApplianceOptions? Options, IReadOnlyList<ConfigurationProblem> Problems) Read(string path, Func<string, LocalInterface?> findInterface)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > LargestFile }) return (null, [new(path, 0, "", "is over 1 MiB: that is not a configuration file")]);
            return Parse(File.ReadAllText(path), path, findInterface);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, [new(path, 0, "", $"cannot be read: {e.Message}")]);
        }
    }

    public static (ApplianceOptions? Options, IReadOnlyList<ConfigurationProblem> Problems) Parse(string yaml, string file, Func<string, LocalInterface?> findInterface)
    {
        var problems = new List<ConfigurationProblem>();
        if (Root(yaml, file, problems) is not { } root) return (null, problems);

        var section = new YamlSection(root, "", 1, file, problems);
        var name = section.Text("name", required: true) ?? "";
        if (name.Length > 0 && !IsLabel(name)) section.Problem("name", $"'{name}' is not a name of letters, digits and hyphens");
        var dataDir = Directory(section, "dataDir", "/var/lib/gridappliance");
        var bootFiles = Directory(section, "bootFiles", "/usr/share/gridappliance/boot");
        if (section.Text("store") is { } store && store != "sqlite")
            section.Problem("store", store.StartsWith("postgres://", StringComparison.Ordinal) ? "a shared PostgreSQL store is not in this version; use sqlite" : $"'{store}' is not a store; use sqlite");
        var networks = section.Sections("networks").Select(n => (Section: n, Options: NetworkSection.Read(n, findInterface))).ToList();
        if (networks.Count == 0) section.Problem("networks", "at least one network is needed");
        NetworkSection.CheckTogether(networks);
        var attached = NetworkSection.Attach(networks);
        var listen = Listen(section.Section("management"), attached, findInterface);
        var policy = section.Section("policy");
        var enroll = policy.Choice("enroll", EnrollPolicy.Auto);
        policy.RejectUnknown();
        var switches = section.Sections("switches").Select(SwitchSection.Read).OfType<SwitchOptions>().ToList();
        foreach (var twice in switches.GroupBy(s => s.Record.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1)) section.Problem("switches", $"'{twice.Key}' is the name of more than one");
        var consoles = ConsoleOptions.Read(section.Section("consoles"));
        var traps = Traps(section, attached);
        section.RejectUnknown();

        if (problems.Count > 0) return (null, [.. problems.OrderBy(p => p.Line)]);
        return (new()
        {
            Name = name, DataDir = dataDir, BootFiles = bootFiles, ManagementListen = listen, Networks = attached, Enroll = enroll, Switches = switches, Traps = traps, Consoles = consoles,
        }, []);
    }

    static YamlMappingNode? Root(string yaml, string file, List<ConfigurationProblem> problems)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root) return root;
            problems.Add(new(file, 1, "", "must be one document with keys at its top, such as 'name: rack12'"));
        }
        catch (YamlException e)
        {
            problems.Add(new(file, (int)e.Start.Line, "", $"is not YAML: {e.InnerException?.Message ?? e.Message}"));
        }
        return null;
    }

    static string Directory(YamlSection section, string key, string otherwise)
    {
        var path = section.Text(key) ?? otherwise;
        if (!Path.IsPathFullyQualified(path)) section.Problem(key, $"'{path}' must be an absolute path");
        return path;
    }

    static IPEndPoint? Traps(YamlSection section, IReadOnlyList<NetworkOptions> networks)
    {
        const int trapPort = 162;
        if (section.Text("traps") is not { } text) return null;
        if (!IPEndPoint.TryParse(text, out var at) || at.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork)
        {
            section.Problem("traps", $"'{text}' is not an address to hear traps on; write it like 10.0.0.1 or 10.0.0.1:162");
            return null;
        }
        if (Ipv4Address.From(at.Address) is { } v4 && networks.FirstOrDefault(n => n.Address.Address == v4) is { } network)
            section.Problem("traps", $"'{text}' is on the provisioning network '{network.Name}': switches are spoken to on a network that nodes are not on");
        return at.Port == 0 && !text.EndsWith(":0", StringComparison.Ordinal) ? new(at.Address, trapPort) : at;
    }

    static List<ListenAddress> Listen(YamlSection section, IReadOnlyList<NetworkOptions> networks, Func<string, LocalInterface?> findInterface)
    {
        var addresses = new List<ListenAddress>();
        foreach (var (text, problem) in section.Texts("listen"))
            if (ListenAt(text, networks, findInterface, problem) is { } address) addresses.Add(address);
        if (!section.Has("listen")) addresses.Add(new ListenAddress.Unix("/run/gridappliance/api.sock"));
        section.RejectUnknown();
        return addresses;
    }

    static ListenAddress? ListenAt(string text, IReadOnlyList<NetworkOptions> networks, Func<string, LocalInterface?> findInterface, Action<string> problem)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            // sockaddr_un holds 108 octets with the closing zero (unix(7)).
            const int longestPath = 107;
            if (System.Text.Encoding.UTF8.GetByteCount(path) > longestPath)
            {
                problem($"'{text}' is too long: the path of a socket has at most {longestPath} octets");
                return null;
            }
            if (Path.IsPathFullyQualified(path)) return new ListenAddress.Unix(path);
            problem($"'{text}' must name an absolute path, such as unix:/run/gridappliance/api.sock");
            return null;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || !IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip))
        {
            problem($"'{text}' is not an address to listen on; write it like unix:/run/gridappliance/api.sock or http://127.0.0.1:8080");
            return null;
        }
        var tls = uri.Scheme == "https";
        if (!tls && !IPAddress.IsLoopback(ip)) problem($"'{text}' would carry the management plane in clear beyond this machine; use https://");
        // A second address of the same interface is as near to the nodes as the first.
        if (Ipv4Address.From(ip) is { } v4 && networks.FirstOrDefault(n => n.Address.Contains(v4) || findInterface(n.Interface)?.Addresses.Any(a => a.Address == v4) == true) is { } network)
            problem($"'{text}' is on the provisioning network '{network.Name}': nodes must not reach the management plane");
        if (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
            problem($"'{text}' listens on every interface, the provisioning ones among them; name one address");
        return new ListenAddress.Tcp(new IPEndPoint(ip, uri.Port), tls);
    }

    /// <summary>A label of RFC 1123 section 2.1.</summary>
    internal static bool IsLabel(string text) => text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
