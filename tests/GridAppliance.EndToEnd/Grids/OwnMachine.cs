using System.Diagnostics;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Testing;

namespace GridAppliance.EndToEnd.Grids;

/// <summary>The machine on which a lab's appliance runs, as SSH finds it: at the appliance's address, in its network; its disk is this machine's, under an overlay (<c>machine.sh</c>).</summary>
sealed class OwnMachine : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Process process;

    OwnMachine(Process process, string folder, string keyFile) => (this.process, Folder, KeyFile) = (process, folder, keyFile);

    string Folder { get; }

    /// <summary>Of root.</summary>
    public string KeyFile { get; }

    public static async Task<OwnMachine> StartAsync(LabInstance lab)
    {
        var folder = Directory.CreateDirectory(Path.Combine(lab.Plan.Paths.Root, "own")).FullName;
        var key = Path.Combine(lab.Plan.Paths.Root, "own.key");
        await Command.RunAsync(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key], CancellationToken.None);
        File.Copy(key + ".pub", Path.Combine(folder, "key.pub"));
        IReadOnlyList<string> command = Namespaces.Inside(lab.Plan.Appliance.Namespace,
        [
            "/usr/bin/unshare", "-m", "-p", "-f", "--kill-child=KILL", "/bin/bash", Path.Combine(AppContext.BaseDirectory, "Grids/machine.sh"), folder, Guid.NewGuid().ToString("N"), $"{lab.Plan.Appliance.Address.Address}:22",
        ]);
        var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true })!;
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("Server listening", StringComparison.Ordinal) == true) isReady.TrySetResult();
        };
        process.BeginErrorReadLine();
        await isReady.Task.WaitAsync(Patience);
        return new(process, folder, key);
    }

    /// <summary>What was put on its disk where agents and modules put anything.</summary>
    public string Files() => OverlayFiles.Of(Folder);

    public async ValueTask DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.Dispose();
    }
}
