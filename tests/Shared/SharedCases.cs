using System.Text.Json;

namespace GridAppliance.Testing;

/// <summary>
/// The collection of other people's recordings that is kept beside the project and never inside it: the folder that <c>GRID_CASES</c> names, or
/// <c>shared/cases</c> beside any folder above this one.
/// </summary>
public static class SharedCases
{
    static readonly string? Folder = Find();

    public static bool ArePresent => Folder is not null;

    public static string PathOf(string name) => Path.Combine(Folder ?? throw new DirectoryNotFoundException("no folder of cases"), name);

    /// <summary>A file of the DHCP or network boot captures, wherever of the two folders it is.</summary>
    public static string DhcpPathOf(string name) => new[] { "pcap/dhcp", "pcap/pxe", "vectors" }.Select(folder => PathOf($"{folder}/{name}")).First(File.Exists);

    /// <summary>Captures with DHCP in them and with facts of an independent decoder.</summary>
    public static IReadOnlyList<string> DhcpCaptures { get; } =
    [
        "A_bios_ipxe_dnsmasq",
        "B_ovmf_pxe_dnsmasq",
        "Dhcp1",
        "dhcp",
        "dhcp-rfc3004",
        "dhcp-rfc4388",
        "dhcp_ack_subscriber_id_and_agent_remote_id",
        "dhcp_nolease_initialization",
        "dhcp_time_and_nameserver",
        "option52-overload-sname",
        "pixiecore-dhcp",
        "wireshark-dhcp",
    ];

    /// <summary>A capture of <see cref="DhcpCaptures"/>, in whichever of the two formats it is.</summary>
    public static string DhcpCapture(string name) => new[] { "pcap/dhcp", "pcap/pxe" }.SelectMany(folder => new[] { $"{folder}/{name}.pcap", $"{folder}/{name}.pcapng" }).Select(PathOf).First(File.Exists);

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));

    public static JsonElement Json(string name) => JsonDocument.Parse(Bytes(name)).RootElement;

    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("GRID_CASES") is { Length: > 0 } named) return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var cases = Path.Combine(folder.FullName, "shared", "cases");
            if (Directory.Exists(cases)) return cases;
        }
        return null;
    }
}

/// <summary>A test against the shared recordings; counted as skipped where they are absent.</summary>
public sealed class CaseFactAttribute : FactAttribute
{
    public CaseFactAttribute()
    {
        if (!SharedCases.ArePresent) Skip = "the shared recordings are not here (GRID_CASES)";
    }
}

/// <summary>As <see cref="CaseFactAttribute"/>, with data.</summary>
public sealed class CaseTheoryAttribute : TheoryAttribute
{
    public CaseTheoryAttribute()
    {
        if (!SharedCases.ArePresent) Skip = "the shared recordings are not here (GRID_CASES)";
    }
}
