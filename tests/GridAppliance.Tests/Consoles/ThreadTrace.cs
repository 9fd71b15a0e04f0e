using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GridAppliance.Tests.Consoles;

/// <summary>strace on one thread of this process: what it asks of the kernel, in words. The other threads do not notice.</summary>
static partial class ThreadTrace
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="calls">Which system calls, as strace names them.</param>
    /// <param name="work">Runs on the watched thread, and what it throws is thrown here.</param>
    public static async Task<string> OfAsync(string calls, Action work)
    {
        var (name, watched, ended) = (NewSource<int>(), NewSource<bool>(), NewSource<bool>());
        new Thread(() =>
        {
            name.SetResult(ThreadId());
            try
            {
                watched.Task.Wait(Patience);
                work();
                ended.SetResult(true);
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        { IsBackground = true }.Start();
        var file = Path.GetTempFileName();
        var start = new ProcessStartInfo("strace") { RedirectStandardError = true };
        foreach (var argument in (string[])["-v", "-e", $"trace={calls}", "-o", file, "-p", $"{await name.Task}"]) start.ArgumentList.Add(argument);
        using var strace = Process.Start(start)!;
        try
        {
            var said = await strace.StandardError.ReadLineAsync(new CancellationTokenSource(Patience).Token);
            Assert.True(said?.EndsWith(" attached", StringComparison.Ordinal), $"strace says: {said}");
            watched.SetResult(true);
            await ended.Task.WaitAsync(Patience);
            // It ends with the thread.
            await strace.WaitForExitAsync(new CancellationTokenSource(Patience).Token);
            return await File.ReadAllTextAsync(file);
        }
        finally
        {
            watched.TrySetResult(false);
            if (!strace.HasExited) strace.Kill();
            File.Delete(file);
        }
    }

    static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int ThreadId();
}
