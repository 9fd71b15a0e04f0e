using System.CommandLine;
using System.Globalization;
using GridAppliance.Api;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class SensorsCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };

    public SensorsCommand() : base("sensors", "What a machine's sensors read now.") => Add(name);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var sensors = await session.Client.GetSensors(session.Parsed.GetRequiredValue(name), cancellation);
        session.Show(sensors, ApiJson.Default.SensorsDocument, shown =>
            session.Terminal.Table(["SENSOR", "KIND", "VALUE", "HEALTH"], shown.Sensors.Select(sensor => new Cell[] { sensor.Name, sensor.Kind, Value(sensor), new(sensor.Health, ToneOf(sensor.Health)) })));
        return ExitStatus.Done;
    }

    static string Value(SensorDocument sensor) => sensor.Value is { } value ? $"{value.ToString("0.###", CultureInfo.InvariantCulture)} {sensor.Unit}".TrimEnd() : "-";

    static Tone ToneOf(string health) => health switch { "ok" => Tone.Good, "warning" => Tone.Warning, "critical" or "failed" => Tone.Bad, _ => Tone.Faint };
}
