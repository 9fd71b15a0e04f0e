namespace GridAppliance.Lab.Machine;

/// <summary>Network namespaces of a lab, by name.</summary>
static class Namespaces
{
    public const string Ip = "/usr/sbin/ip";
    public const string Ethtool = "/usr/sbin/ethtool";

    public static string PathOf(string name) => $"/run/netns/{name}";

    public static bool Exists(string name) => File.Exists(PathOf(name));

    /// <summary>The command line that runs another one inside a namespace; <c>ip</c> becomes that program, so its pid is the program's.</summary>
    public static IReadOnlyList<string> Inside(string name, IReadOnlyList<string> arguments) => [Ip, "netns", "exec", name, .. arguments];

    public static async Task CreateAsync(string name, CancellationToken cancellation)
    {
        await Command.RunAsync([Ip, "netns", "add", name], cancellation);
        await Command.RunAsync([Ip, "-n", name, "link", "set", "lo", "up"], cancellation);
    }

    public static async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        if (Exists(name)) await Command.RunAsync([Ip, "netns", "delete", name], cancellation);
    }

    /// <summary>A cable between two namespaces, made in place so that its ends never stand in this machine's own.</summary>
    public static async Task CableAsync(string firstNamespace, string first, string secondNamespace, string second, CancellationToken cancellation)
    {
        await Command.RunAsync([Ip, "link", "add", first, "netns", firstNamespace, "type", "veth", "peer", "name", second, "netns", secondNamespace], cancellation);
        foreach (var (space, end) in ((string, string)[])[(firstNamespace, first), (secondNamespace, second)])
        {
            // The userspace datapath does not finish checksums that a sender left to the hardware.
            await Command.RunAsync(Inside(space, [Ethtool, "-K", end, "tx", "off", "rx", "off"]), cancellation);
            await Command.RunAsync([Ip, "-n", space, "link", "set", end, "up"], cancellation);
        }
    }

    public static Task AddAddressAsync(string name, string link, string address, CancellationToken cancellation) =>
        Command.RunAsync([Ip, "-n", name, "address", "add", address, "dev", link], cancellation);
}
