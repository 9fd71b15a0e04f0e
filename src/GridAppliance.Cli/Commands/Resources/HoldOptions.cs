using System.CommandLine;
using System.Globalization;
using GridAppliance.Api.Resources;

namespace GridAppliance.Cli.Commands.Resources;

/// <summary>How much, for whom and for how long, as <c>reserve</c>, <c>allocate</c> and <c>resources</c> take it.</summary>
sealed class HoldOptions
{
    readonly Option<string> owner = new("--owner") { Description = "For whom.", DefaultValueFactory = _ => Environment.UserName };
    readonly Option<string?> length = new("--for") { Description = "For how long: 90s, 30m, 12h, 7d." };
    readonly Option<DateTimeOffset?> until = new("--until") { Description = "Until when, in place of --for." };
    readonly Option<int?> cpus = new("--cpus") { Description = "Whole processors, one at least." };
    readonly Option<string?> memory = new("--memory") { Description = "Memory: 512M, 4G; without it the processors' share of the node's, or what is free of it." };
    readonly Option<string?> disk = new("--disk") { Description = "Disk space: 20G." };
    readonly Option<int?> accelerators = new("--accelerators") { Description = "Accelerators." };
    readonly Option<string[]> named = new("--named") { Description = "Something that a module provides: NAME or NAME=UNITS. May be said again." };
    readonly Option<string[]> modules = new("--with") { Description = "A module (by name or class) that has to run there: installed first if need be. May be said again." };
    readonly Option<int?> count = new("--count") { Description = "Only so many nodes of the range: those with room and the least to spare." };

    public void AddAmountsTo(Command command)
    {
        foreach (var option in (Option[])[cpus, memory, disk, accelerators, named]) command.Add(option);
    }

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[owner, length, until]) command.Add(option);
        AddAmountsTo(command);
        command.Add(modules);
        command.Add(count);
    }

    /// <summary>Null when no amount was said.</summary>
    public ResourceAmounts? Amounts(ParseResult parsed)
    {
        var units = parsed.GetValue(named) ?? [];
        if (parsed.GetValue(cpus) is null && parsed.GetValue(memory) is null && parsed.GetValue(disk) is null && parsed.GetValue(accelerators) is null && units.Length == 0) return null;
        return new()
        {
            Cpus = parsed.GetValue(cpus) ?? 1, MemoryMiB = Size("--memory", parsed.GetValue(memory)), DiskMiB = Size("--disk", parsed.GetValue(disk)), Accelerators = parsed.GetValue(accelerators) ?? 0,
            Named = units.Select(Unit).GroupBy(unit => unit.Name).ToDictionary(group => group.Key, group => group.Sum(unit => unit.Units)),
        };
    }

    public HoldRequest Request(ParseResult parsed, string range, string? holding, bool dryRun) => new()
    {
        Range = range, Owner = parsed.GetRequiredValue(owner), Amounts = Amounts(parsed), Modules = parsed.GetValue(modules) ?? [], Holding = holding, DryRun = dryRun,
        Seconds = parsed.GetValue(length) is { } text ? (long)Length("--for", text).TotalSeconds : null, Until = parsed.GetValue(until), Count = parsed.GetValue(count),
    };

    /// <summary>90s, 30m, 12h, 7d.</summary>
    public static TimeSpan Length(string option, string text)
    {
        double? unit = text.Length < 2 ? null : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => null };
        return unit is { } seconds && double.TryParse(text.AsSpan(..^1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * seconds is > 0 and < 1e9
            ? TimeSpan.FromSeconds(number * seconds)
            : throw new UsageException($"{option} {text} is no length of time", "say it as 90s, 30m, 12h or 7d");
    }

    static long Size(string option, string? text)
    {
        if (text is null) return 0;
        double? unit = text.Length < 2 ? null : char.ToUpperInvariant(text[^1]) switch { 'M' => 1, 'G' => 1024, 'T' => 1024 * 1024, _ => null };
        return unit is { } mebibytes && double.TryParse(text.AsSpan(..^1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * mebibytes is >= 1 and < 1e12
            ? (long)(number * mebibytes)
            : throw new UsageException($"{option} {text} is no size", "say it as 512M, 4G or 1T");
    }

    static (string Name, int Units) Unit(string text) => text.Split('=') switch
    {
        [var name] => (name, 1),
        [var name, var number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var units) && units > 0 => (name, units),
        _ => throw new UsageException($"--named {text} is not NAME or NAME=UNITS", "say it as render-slot=2"),
    };
}
