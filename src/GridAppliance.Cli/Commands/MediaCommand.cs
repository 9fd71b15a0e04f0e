using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class MediaCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<string?> insert = new("--insert") { Description = "An image that the BMC fetches and shows to the machine as a CD.", HelpName = "URL" };
    readonly Option<bool> eject = new("--eject") { Description = "Empty the drives." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public MediaCommand() : base("media", "The drives that a machine's BMC pretends to be.")
    {
        Add(name);
        Add(insert);
        Add(eject);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (node, image, empties) = (session.Parsed.GetRequiredValue(name), session.Parsed.GetValue(insert), session.Parsed.GetValue(eject));
        if (image is not null && empties) throw new UsageException("say either --insert or --eject", "an image that is put in takes the place of the one before");
        if (session.Parsed.GetValue(dryRun) && (empties || image is not null))
        {
            session.Terminal.NodeLine(node, empties ? "its virtual drives would be emptied" : $"{image} would be put into its virtual drive");
            return ExitStatus.Done;
        }
        var media = empties ? await session.Client.EjectMedia(node, cancellation)
            : image is not null ? await session.Client.InsertMedia(node, new() { Image = image }, cancellation)
            : await session.Client.GetMedia(node, cancellation);
        session.Show(media, ApiJson.Default.MediaDocument, shown =>
        {
            foreach (var drive in shown.Drives) session.Terminal.NodeLine(node, new Cell($"{drive.Name} ({string.Join(", ", drive.Kinds)}): {drive.Image ?? "empty"}"));
        });
        return ExitStatus.Done;
    }
}
