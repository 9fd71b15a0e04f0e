using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using GridAppliance.Hosting;
using GridAppliance.Web.Metrics;

namespace GridAppliance.Tests.Web;

/// <summary>Instruments made here, on a meter of the daemon's name, are this test's own; only their lines are looked at.</summary>
public sealed partial class MetricsTests
{
    readonly Meter meter = new(Telemetry.Name);

    [Fact]
    public void Each_kind_of_instrument_is_written_as_prometheus_reads_it()
    {
        using var exporter = new PrometheusExporter();
        var counter = meter.CreateCounter<long>("test.requests.served", "{request}", "Requests\nserved");
        counter.Add(2, new("network", "a\"b\\c\nd"), new("kind", "x"));
        counter.Add(3, new("network", "a\"b\\c\nd"), new("kind", "x"));
        meter.CreateUpDownCounter<int>("test.open").Add(5);
        meter.CreateObservableGauge("test.free", () => new Measurement<double>(1.5, new KeyValuePair<string, object?>("disk", "sda")), "By");
        var histogram = meter.CreateHistogram<double>("test.duration", "s");
        histogram.Record(0.0002);
        histogram.Record(7);
        histogram.Record(1000);

        var text = exporter.Write();

        Assert.Contains("# HELP test_requests_served_total Requests\\nserved\n# TYPE test_requests_served_total counter\n"
            + "test_requests_served_total{kind=\"x\",network=\"a\\\"b\\\\c\\nd\"} 5\n", text);
        Assert.Contains("# TYPE test_open gauge\ntest_open 5\n", text);
        Assert.Contains("# TYPE test_free_bytes gauge\ntest_free_bytes{disk=\"sda\"} 1.5\n", text);
        Assert.Contains("# TYPE test_duration_seconds histogram\ntest_duration_seconds_bucket{le=\"0.0001\"} 0\ntest_duration_seconds_bucket{le=\"0.0005\"} 1\n", text);
        Assert.Contains("test_duration_seconds_bucket{le=\"10\"} 2\n", text);
        Assert.Contains("test_duration_seconds_bucket{le=\"+Inf\"} 3\ntest_duration_seconds_sum 1007.0002\ntest_duration_seconds_count 3\n", text);
    }

    [Fact]
    public void Every_line_is_of_the_format_and_every_family_is_announced_once()
    {
        using var exporter = new PrometheusExporter();
        Telemetry.DhcpReceived.Add(1, new("network", "provisioning"), new("type", "discover"));
        var families = new HashSet<string>();
        foreach (var line in exporter.Write().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) Assert.True(families.Add(line.Split(' ')[2]), line);
            else if (!line.StartsWith("# HELP ", StringComparison.Ordinal)) Assert.Matches(Sample(), line);
        }
        Assert.Contains("gridappliance_dhcp_received_total", families);
        Assert.Contains(families, family => family.StartsWith("dotnet_", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_instruments_of_one_name_are_one_family()
    {
        using var exporter = new PrometheusExporter();
        meter.CreateCounter<long>("test.twice").Add(1, new KeyValuePair<string, object?>("of", "first"));
        meter.CreateCounter<long>("test.twice", null, "another").Add(2, new KeyValuePair<string, object?>("of", "second"));
        var text = exporter.Write();
        Assert.Contains("# TYPE test_twice_total counter\ntest_twice_total{of=\"first\"} 1\ntest_twice_total{of=\"second\"} 2\n", text);
        Assert.Equal(2, text.Split("# TYPE test_twice_total").Length);
    }

    [Fact]
    public void A_gauge_that_is_no_longer_observed_is_gone()
    {
        using var exporter = new PrometheusExporter();
        var states = new List<string> { "idle", "held" };
        meter.CreateObservableGauge("test.nodes", () => states.Select(s => new Measurement<int>(1, new KeyValuePair<string, object?>("state", s))));
        Assert.Contains("test_nodes{state=\"held\"} 1", exporter.Write());
        states.Remove("held");
        var text = exporter.Write();
        Assert.Contains("test_nodes{state=\"idle\"} 1", text);
        Assert.DoesNotContain("held", text);
    }

    [Fact]
    public void Tags_that_a_peer_invents_cost_a_constant_and_lose_no_count()
    {
        using var exporter = new PrometheusExporter();
        var counter = meter.CreateCounter<long>("test.invented");
        for (var i = 0; i < 5000; i++) counter.Add(1, new KeyValuePair<string, object?>("name", $"v{i}"));
        var lines = exporter.Write().Split('\n').Where(line => line.StartsWith("test_invented_total{", StringComparison.Ordinal)).ToList();
        Assert.Equal(501, lines.Count);
        Assert.Equal(5000, lines.Sum(line => long.Parse(line.AsSpan(line.LastIndexOf(' ') + 1))));
    }

    [Fact]
    public void Measuring_what_was_measured_before_allocates_nothing()
    {
        using var exporter = new PrometheusExporter();
        var counter = meter.CreateCounter<long>("test.hot");
        object network = "provisioning", type = "discover";
        Measure();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Measure();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Measure() => counter.Add(1, new KeyValuePair<string, object?>("network", network), new KeyValuePair<string, object?>("type", type));
    }

    [Fact]
    public async Task The_plane_serves_them_as_text()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        using var answer = await http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("dotnet_gc_collections_total", await answer.Content.ReadAsStringAsync());
    }

    [GeneratedRegex("""^[a-z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_]\w*="([^"\\]|\\.)*"(,[a-zA-Z_]\w*="([^"\\]|\\.)*")*\})? ([-+]?[0-9.]+(E[-+]?[0-9]+)?|[-+]Inf|NaN)$""")]
    private static partial Regex Sample();
}
