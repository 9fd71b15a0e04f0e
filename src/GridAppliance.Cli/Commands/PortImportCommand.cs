using System.CommandLine;
using System.Net;
using GridAppliance.Api;
using GridAppliance.Api.Ports;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class PortImportCommand : GridctlCommand
{
    static readonly string[] Usual = ["address", "user", "password", "location"];

    readonly Argument<string> file = new("FILE") { Description = "CSV: address,user,password,location, or a first line that names its columns; - is standard input. A bare IP address is a BMC's (ipmi://)." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be taken in, and do nothing." };

    public PortImportCommand() : base("import", "Take in a list of BMCs; whose each is shows when the nodes boot.")
    {
        Add(file);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var ports = Ports(CsvText.Read(Read(session.Parsed.GetRequiredValue(file), session.Terminal)));
        if (ports.Count == 0) throw new UsageException("the list is empty", "write one line per BMC: address,user,password,location");
        var done = await session.Client.ImportPorts(new() { Ports = ports, DryRun = session.Parsed.GetValue(dryRun) }, cancellation);
        session.Show(done, ApiJson.Default.PortImportDocument, shown =>
        {
            foreach (var port in shown.Ports) session.Terminal.NodeLine(port.Address, new(port.Message, port.Accepted ? Tone.Plain : Tone.Bad));
        });
        var good = done.Ports.Count(port => port.Accepted);
        return good == done.Ports.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static IReadOnlyList<PortRequest> Ports(IReadOnlyList<(int Line, IReadOnlyList<string> Fields)> rows)
    {
        IReadOnlyList<string> columns = Usual;
        var isNamed = rows.Count > 0 && rows[0].Fields.Any(field => field.Equals("address", StringComparison.OrdinalIgnoreCase));
        if (isNamed) columns = [.. rows[0].Fields.Select(field => field.ToLowerInvariant())];
        if (columns.FirstOrDefault(column => !Usual.Contains(column) && column != "devicekey") is { } strange) throw new UsageException($"'{strange}' is no column", $"there are {string.Join(", ", Usual)} and deviceKey");
        return [.. rows.Skip(isNamed ? 1 : 0).Select(row =>
        {
            if (row.Fields.Count > columns.Count) throw new UsageException($"line {row.Line} has {row.Fields.Count} fields, and there are {columns.Count} columns", "put a field that holds a comma into quotes");
            string? Of(string column) => columns.ToList().IndexOf(column) is >= 0 and var i && i < row.Fields.Count && row.Fields[i].Length > 0 ? row.Fields[i] : null;
            var address = Of("address") ?? throw new UsageException($"line {row.Line} has no address", "write one line per BMC: address,user,password,location");
            return new PortRequest
            {
                Address = IPAddress.TryParse(address, out _) ? $"ipmi://{address}" : address, User = Of("user"), Password = Of("password"), DeviceKey = Of("devicekey"), Location = Of("location"),
            };
        })];
    }

    static string Read(string file, GridctlTerminal terminal) => file == "-" ? terminal.Everything() : InputFile.Read(file, "the list", "check the file's name");
}
