using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Api.Establish;

/// <summary>Where a machine that has an operating system is reached by SSH: <c>10.0.0.5</c>, <c>db7.example.org:2222</c>. Only letters, digits, dots and dashes, and no dash in front.</summary>
public readonly record struct MachineAddress(string Host, int Port)
{
    public const int SshPort = 22;
    const int LongestHost = 253;

    public static bool TryParse([NotNullWhen(true)] string? text, out MachineAddress address)
    {
        address = default;
        if (text is null) return false;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var host = colon < 0 ? text : text[..colon];
        var port = SshPort;
        if (colon >= 0 && (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)) return false;
        if (host.Length is 0 or > LongestHost || !char.IsAsciiLetterOrDigit(host[0]) || host.Contains("..", StringComparison.Ordinal)) return false;
        if (!host.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-')) return false;
        // What looks like an address must be one: 10.0.0.256 is no name.
        if (host.All(static c => char.IsAsciiDigit(c) || c == '.') && !Ipv4Address.TryParse(host, out _)) return false;
        address = new(host.ToLowerInvariant(), port);
        return true;
    }

    public override string ToString() => Port == SshPort ? Host : $"{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";
}

/// <summary>Which machines an administrator means: <c>10.0.0.5, 10.0.0.10-10.0.0.40, 10.1.0.0/28, db7:2222</c>, or the lines of a file; <c>#</c> begins a comment.</summary>
public static class MachineList
{
    public const int Most = 4096;

    /// <param name="text">The list.</param>
    /// <param name="machines">Each once, in the order of the list.</param>
    /// <param name="twice">Those that it names more than once.</param>
    /// <param name="problem">What is wrong with it, when something is.</param>
    public static bool TryParse(string text, out IReadOnlyList<MachineAddress> machines, out IReadOnlyList<MachineAddress> twice, [NotNullWhen(false)] out string? problem)
    {
        var (found, seen, again) = (new List<MachineAddress>(), new HashSet<MachineAddress>(), new List<MachineAddress>());
        (machines, twice, problem) = (found, again, null);
        foreach (var line in text.Split('\n'))
        {
            foreach (var word in line.Split('#')[0].Split((char[])[',', ' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries))
            {
                if (!TryExpand(word, out var named)) problem = $"'{(word.Length > 60 ? word[..60] : word)}' is no machine: write an address, a name, either with :PORT, FIRST-LAST or ADDRESS/PREFIX";
                else if (found.Count + named.Count > Most) problem = $"the list has more than {Most} machines";
                if (problem is not null) return false;
                foreach (var machine in named)
                {
                    if (seen.Add(machine)) found.Add(machine);
                    else again.Add(machine);
                }
            }
        }
        if (found.Count == 0) problem = "the list has no machine in it";
        return problem is null;
    }

    static bool TryExpand(string word, out IReadOnlyList<MachineAddress> named)
    {
        named = [];
        if (Ipv4Range.TryParse(word, CultureInfo.InvariantCulture, out var range))
        {
            named = List(range);
            return true;
        }
        if (Ipv4Network.TryParse(word, CultureInfo.InvariantCulture, out var network))
        {
            var mask = network.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - network.PrefixLength);
            var (first, last) = (network.Address.Value & mask, network.Address.Value | ~mask);
            // Neither the network's own address nor the one for all of it is a machine's.
            named = List(network.PrefixLength >= 31 ? new(new(first), new(last)) : new(new(first + 1), new(last - 1)));
            return true;
        }
        if (!MachineAddress.TryParse(word, out var machine)) return false;
        named = [machine];
        return true;
    }

    // One more than fits, so that the caller says that it is too much.
    static IReadOnlyList<MachineAddress> List(Ipv4Range range) =>
        [.. Enumerable.Range(0, (int)Math.Min(range.Count, Most + 1)).Select(i => new MachineAddress(new Ipv4Address(range.First.Value + (uint)i).ToString(), MachineAddress.SshPort))];
}
