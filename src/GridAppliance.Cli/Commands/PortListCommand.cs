using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class PortListCommand : GridctlCommand
{
    readonly Argument<string?> range = RangeArgument.Optional("Whose; every port when left out, also those that belong to no node yet.");

    public PortListCommand() : base("list", "Privileged ports, whose they are and how they were when last used.") => Add(range);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = session.Parsed.GetValue(range) is { } text ? RangeArgument.Read(text).Text : null;
        var ports = await session.Client.GetPorts(wanted, cancellation);
        session.Show(ports, ApiJson.Default.IReadOnlyListPortDocument, shown => session.Terminal.Table(["NODE", "ADDRESS", "KIND", "USER", "CAN", "STATE"], shown.Select(port => new Cell[]
        {
            port.Node ?? "-", port.Address, port.Kind, port.User ?? "", string.Join(' ', port.Can),
            new(port.Problem is { } problem ? $"{port.State}: {problem}" : port.State, port.State switch { "answers" => Tone.Good, "refused" => Tone.Bad, "silent" or "troubled" => Tone.Warning, _ => Tone.Plain }),
        })));
        return ExitStatus.Done;
    }
}
