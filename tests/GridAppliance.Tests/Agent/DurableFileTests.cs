using GridAppliance.Agent;

namespace GridAppliance.Tests.Agent;

public sealed class DurableFileTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_file_that_goes_while_it_is_read_is_no_file_and_no_fault()
    {
        var path = Path.Combine(folder.Path, "module.json");
        var goes = Task.Run(() =>
        {
            // As a module's record does that gets another name: an agent's heartbeat reads at any moment of that.
            for (var i = 0; i < 5_000; i++)
            {
                File.WriteAllBytes(path + ".beside", [7]);
                File.Move(path + ".beside", path);
                File.Delete(path);
            }
        });
        while (!goes.IsCompleted) Assert.True(DurableFile.Read(path) is null or [7], "neither there nor gone");
        await goes;
    }
}
