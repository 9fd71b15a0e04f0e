namespace GridAppliance.Lab.Troubles;

/// <summary>Fills the appliance's data directory, which is a small file system of its own, to the last byte.</summary>
sealed class DiskFull : ITrouble
{
    const int BlockSize = 64 * 1024;

    public string Name => "disk-full";
    public string Summary => "fills the appliance's disk";
    public bool NeedsServer => false;
    public string LookAt => "the status page's problems; known nodes still boot";

    public async Task MakeAsync(LabRig rig, string server, CancellationToken cancellation)
    {
        var block = new byte[BlockSize];
        // Unbuffered, and smaller and smaller, so that not one page stays free.
        await using var filler = new FileStream(FillerOf(rig), FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = block.Length; size > 0; size /= 2)
        {
            try
            {
                while (true) await filler.WriteAsync(block.AsMemory(0, size), cancellation);
            }
            catch (IOException)
            {
            }
        }
    }

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation)
    {
        File.Delete(FillerOf(rig));
        return Task.CompletedTask;
    }

    static string FillerOf(LabRig rig) => $"{rig.Plan.Paths.Data}/filler";
}
