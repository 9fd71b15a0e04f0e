using System.Threading.Channels;

namespace GridAppliance.Fabric;

/// <summary>The way to <see cref="FabricWatcher"/> for whoever has noticed that something is, or may be, other than it was.</summary>
sealed class FabricPokes
{
    /// <summary>Full: the newest is dropped. What is queued already has the watcher look at much, and a minute later it looks at everything.</summary>
    const int Capacity = 1024;

    readonly Channel<string> nodes = Make();
    readonly Channel<string> switches = Make();
    readonly Channel<string> renewals = Channel.CreateBounded<string>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Nodes to be looked for.</summary>
    public ChannelReader<string> Nodes => nodes.Reader;

    /// <summary>Switches to be read.</summary>
    public ChannelReader<string> Switches => switches.Reader;

    /// <summary>One for each time that the map is to be made anew; any number in a short time are one.</summary>
    public ChannelReader<string> Renewals => renewals.Reader;

    /// <summary>A node asks to boot: where is it?</summary>
    public void Locate(string node) => nodes.Writer.TryWrite(node);

    /// <summary>Something has happened on a switch.</summary>
    public void Read(string name) => switches.Writer.TryWrite(name);

    /// <summary>The plan, the switches or what is known of them are others.</summary>
    public void Renew() => renewals.Writer.TryWrite("");

    static Channel<string> Make() => Channel.CreateBounded<string>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
}
