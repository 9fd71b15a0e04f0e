using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using GridAppliance.Hosting;

namespace GridAppliance.Web.Metrics;

/// <summary>
/// The "GridAppliance" meter (and the runtime's own) as Prometheus text, version 0.0.4: a <see cref="MeterListener"/> sums what is measured, a scrape writes it down.
/// Names follow the Prometheus rules (<c>gridappliance_dhcp_received_total</c>); tags become labels. Series are bounded per instrument, so that a tag whose values a peer can
/// choose costs a constant.
/// </summary>
sealed class PrometheusExporter : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    const int MostSeries = 500;

    // Seconds: from one DHCP answer to a long boot.
    static readonly double[] Bounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

    static readonly string[] Meters = [Telemetry.Name, "System.Runtime"];

    readonly MeterListener listener = new();
    readonly ConcurrentDictionary<Instrument, Family> families = new();

    public PrometheusExporter()
    {
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (!Meters.Contains(instrument.Meter.Name)) return;
            // Two instruments of one name are one family: the format allows its header once.
            var family = new Family(instrument);
            families.TryAdd(instrument, families.Values.FirstOrDefault(other => other.Name == family.Name) ?? family);
            listening.EnableMeasurementEvents(instrument);
        };
        listener.MeasurementsCompleted = (instrument, state) => families.TryRemove(instrument, out Family? _);
        listener.SetMeasurementEventCallback<byte>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<short>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<float>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<decimal>((instrument, value, tags, _) => Record(instrument, (double)value, tags));
        listener.Start();
    }

    public void Dispose() => listener.Dispose();

    /// <summary>Asks the observable instruments, then writes every family, sorted so that two scrapes can be compared.</summary>
    public string Write()
    {
        // A gauge's series that is no longer observed is gone; counters keep theirs.
        foreach (var family in families.Values.Distinct()) family.BeginObservation();
        listener.RecordObservableInstruments();
        var text = new StringBuilder(16 * 1024);
        foreach (var family in families.Values.Distinct().OrderBy(family => family.Name, StringComparer.Ordinal)) family.WriteTo(text);
        return text.ToString();
    }

    void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (families.TryGetValue(instrument, out var family)) family.Record(value, tags);
    }

    enum Kind { Counter, Gauge, Histogram }

    /// <summary>One instrument and its series.</summary>
    sealed class Family
    {
        readonly Lock gate = new();
        readonly Dictionary<string, Series> series = new(StringComparer.Ordinal);
        readonly Dictionary<int, KnownTags> known = [];
        readonly Kind kind;
        readonly bool observable;
        readonly bool adds;
        readonly string description;

        public Family(Instrument instrument)
        {
            var type = instrument.GetType();
            var name = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
            observable = instrument.IsObservable;
            kind = name == typeof(Counter<>) || name == typeof(ObservableCounter<>) ? Kind.Counter : name == typeof(Histogram<>) ? Kind.Histogram : Kind.Gauge;
            // Counters and up-down counters report differences, gauges and everything observed report what is.
            adds = !observable && name != typeof(Gauge<>);
            description = instrument.Description ?? instrument.Name;
            Name = NameOf(instrument, kind);
        }

        public string Name { get; }

        public void BeginObservation()
        {
            if (!observable) return;
            lock (gate)
            {
                series.Clear();
                known.Clear();
            }
        }

        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (gate) Find(tags).Record(value, adds);
        }

        /// <summary>The packet path measures: a set of tags that was seen before is found without an allocation.</summary>
        Series Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var hash = 0;
            foreach (var (key, value) in tags) hash ^= HashCode.Combine(key, value);
            known.TryGetValue(hash, out var first);
            for (var candidate = first; candidate is not null; candidate = candidate.Next)
                if (candidate.Is(tags)) return candidate.Series;

            var labels = Labels(tags);
            // What is beyond the bound is added up under one name, so that the total stays right and a peer's inventions cost a constant.
            var overflows = series.Count >= MostSeries && !series.ContainsKey(labels);
            if (overflows) labels = "overflow=\"true\"";
            if (!series.TryGetValue(labels, out var one)) series[labels] = one = new(kind == Kind.Histogram);
            if (!overflows) known[hash] = new(tags.ToArray(), one, first);
            return one;
        }

        public void WriteTo(StringBuilder text)
        {
            lock (gate)
            {
                if (series.Count == 0) return;
                text.Append("# HELP ").Append(Name).Append(' ').Append(description.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
                text.Append("# TYPE ").Append(Name).Append(' ').Append(kind switch { Kind.Counter => "counter", Kind.Gauge => "gauge", Kind.Histogram => "histogram" }).Append('\n');
                foreach (var (labels, one) in series.OrderBy(pair => pair.Key, StringComparer.Ordinal)) one.WriteTo(text, Name, labels);
            }
        }
    }

    /// <summary>Tags as they were passed, so that they are recognised; a chain where hashes collide.</summary>
    sealed record KnownTags(KeyValuePair<string, object?>[] Tags, Series Series, KnownTags? Next)
    {
        public bool Is(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length != Tags.Length) return false;
            for (var i = 0; i < tags.Length; i++)
                if (tags[i].Key != Tags[i].Key || !Equals(tags[i].Value, Tags[i].Value)) return false;
            return true;
        }
    }

    /// <summary>One set of labels; guarded by its family.</summary>
    sealed class Series(bool isHistogram)
    {
        readonly long[]? buckets = isHistogram ? new long[Bounds.Length] : null;
        double sum;
        long count;

        public void Record(double value, bool adds)
        {
            sum = adds ? sum + value : value;
            count++;
            if (buckets is null) return;
            var bucket = 0;
            while (bucket < Bounds.Length && value > Bounds[bucket]) bucket++;
            if (bucket < Bounds.Length) buckets[bucket]++;
        }

        public void WriteTo(StringBuilder text, string name, string labels)
        {
            if (buckets is null)
            {
                Line(text, name, "", labels, Number(sum));
                return;
            }
            var below = 0L;
            for (var i = 0; i < Bounds.Length; i++)
            {
                below += buckets[i];
                Line(text, name, "_bucket", Joined(labels, $"le=\"{Number(Bounds[i])}\""), Number(below));
            }
            Line(text, name, "_bucket", Joined(labels, "le=\"+Inf\""), Number(count));
            Line(text, name, "_sum", labels, Number(sum));
            Line(text, name, "_count", labels, Number(count));
        }

        static void Line(StringBuilder text, string name, string suffix, string labels, string value)
        {
            text.Append(name).Append(suffix);
            if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
            text.Append(' ').Append(value).Append('\n');
        }

        static string Joined(string labels, string more) => labels.Length == 0 ? more : $"{labels},{more}";
    }

    static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    // gridappliance.dhcp.received → gridappliance_dhcp_received_total; a unit such as s or By is spelt out, one in braces is a remark.
    static string NameOf(Instrument instrument, Kind kind)
    {
        var name = Clean(instrument.Name);
        var unit = instrument.Unit switch { "s" => "seconds", "ms" => "milliseconds", "By" => "bytes", null or "1" => "", ['{', ..] => "", var other => Clean(other) };
        if (unit.Length > 0 && !name.EndsWith("_" + unit, StringComparison.Ordinal)) name += "_" + unit;
        return kind == Kind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    static string Clean(string name) => string.Create(name.Length, name, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
    });

    static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        var sorted = tags.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return string.Join(',', sorted.Select(tag => $"{Clean(tag.Key)}=\"{Escape(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "")}\""));
    }

    static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}

static class MetricsEndpoint
{
    public static void MapMetrics(this IEndpointRouteBuilder root) =>
        root.MapGet("/metrics", (PrometheusExporter exporter) => Results.Text(exporter.Write(), PrometheusExporter.ContentType))
            .WithName("getMetrics").WithSummary("Counters, gauges and histograms in Prometheus text.").WithTags("status");
}
