using GridAppliance.Agent.Orders;

namespace GridAppliance.Tests.Agent;

public sealed class OrderLedgerTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_newest_results_are_kept_whatever_the_machines_date_is()
    {
        var ledger = new OrderLedger(Path.Combine(folder.Path, "orders"));
        for (var order = 1; order <= OrderLedger.Capacity; order++) ledger.Keep($"order-{order}", new() { Succeeded = true, Message = $"{order}" });
        // Somebody sets the date back by ten years: what was kept so far seems to come from the future.
        foreach (var file in Directory.GetFiles(Path.Combine(folder.Path, "orders"))) File.SetLastWriteTimeUtc(file, new(2036, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        for (var order = 1; order <= 3; order++) ledger.Keep($"later-{order}", new() { Succeeded = true, Message = $"later {order}" });

        Assert.Equal("later 1", ledger.Find("later-1")?.Message);
        Assert.Equal("later 3", ledger.Find("later-3")?.Message);
        Assert.Null(ledger.Find("order-1"));
        Assert.Equal("4", ledger.Find("order-4")?.Message);
        Assert.Equal(OrderLedger.Capacity, Directory.GetFiles(Path.Combine(folder.Path, "orders")).Length);
    }
}
