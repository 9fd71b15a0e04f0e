using System.Threading.Channels;

namespace GridAppliance.Fabric;

/// <summary>Why the switches should be looked at before it is time.</summary>
abstract record FabricPoke
{
    /// <summary>A node asks to boot: where is it?</summary>
    public sealed record Locate(string Node) : FabricPoke;

    /// <summary>Something has happened on a switch; null: all of them.</summary>
    public sealed record Read(string? Switch) : FabricPoke;

    /// <summary>The plan or the switches are others: the map is made anew from what is known.</summary>
    public sealed record Renew : FabricPoke;
}

/// <summary>The way to <see cref="FabricWatcher"/> for whoever has noticed something.</summary>
sealed class FabricPokes
{
    /// <summary>Full: the newest is dropped. What is queued already has the watcher look at much, and a minute later it looks at everything.</summary>
    const int Capacity = 1024;

    readonly Channel<FabricPoke> channel = Channel.CreateBounded<FabricPoke>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public ChannelReader<FabricPoke> Reader => channel.Reader;

    public void Poke(FabricPoke poke) => channel.Writer.TryWrite(poke);
}
