namespace GridAppliance.Lab.Troubles;

/// <summary>A server whose memory has mostly failed: the loader still fits, the unpacked node image does not, and its kernel panics.</summary>
sealed class PanicAtBoot : ITrouble
{
    const int MemoryLeftMiB = 128;

    public string Name => "panic";
    public string Summary => "reboots a server with so little memory left that its kernel panics";
    public bool NeedsServer => true;
    public string LookAt => "its console log, and 'gridctl why' for that node after a minute";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) => RebootAsync(rig, server, MemoryLeftMiB, cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => RebootAsync(rig, server, rig.Servers.Named(server).MemoryMiB, cancellation);

    static async Task RebootAsync(LabRig rig, string server, int memoryMiB, CancellationToken cancellation)
    {
        var machine = rig.Servers.Named(server);
        await rig.Servers.PowerOffAsync(machine, cancellation);
        await rig.Servers.PowerOnAsync(machine with { MemoryMiB = memoryMiB }, cancellation);
    }
}
