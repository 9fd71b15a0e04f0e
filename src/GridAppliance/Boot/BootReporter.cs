using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>Who asked: the network, the address, and the NIC behind it where that is known.</summary>
readonly record struct BootRequester(NetworkOptions Network, Ipv4Address Address, MacAddress? Mac);

/// <summary>Puts what the file services do into the words of the timeline. A client whose NIC nobody knows has no timeline, and nothing is reported.</summary>
sealed class BootReporter(BootObserver observer, BootClients clients, TimeProvider clock)
{
    /// <param name="attached">Where it came in: its own network, or the one that leads to it.</param>
    /// <param name="address">Its address.</param>
    public BootRequester Identify(NetworkOptions attached, Ipv4Address address)
    {
        var network = attached.Behind.FirstOrDefault(n => n.Address.Contains(address)) ?? attached;
        return new(network, address, clients.Find(network, address));
    }

    /// <param name="who">Who asked.</param>
    /// <param name="file">What for.</param>
    /// <param name="service">From the request's arrival to the first octet of the answer.</param>
    public void Started(BootRequester who, BootFile file, TimeSpan service) => Report(who, file.Role switch
    {
        BootFileRole.Loader => BootStage.LoaderStarted,
        BootFileRole.Kernel => BootStage.KernelStarted,
        BootFileRole.Initramfs => BootStage.InitramfsStarted,
    }, file.Key, service, 0);

    public void Finished(BootRequester who, BootFile file, long bytes) => Report(who, file.Role switch
    {
        BootFileRole.Loader => BootStage.LoaderFinished,
        BootFileRole.Kernel => BootStage.KernelFinished,
        BootFileRole.Initramfs => BootStage.InitramfsFinished,
    }, file.Key, TimeSpan.Zero, bytes);

    public void RootStarted(BootRequester who, RootImage image, TimeSpan service) => Report(who, BootStage.RootStarted, image.Name, service, 0);

    public void RootFinished(BootRequester who, RootImage image) => Report(who, BootStage.RootFinished, image.Name, TimeSpan.Zero, image.Size);

    /// <param name="who">Who asked.</param>
    /// <param name="detail">The file's key and what went wrong, for people.</param>
    /// <param name="bytes">Sent until then.</param>
    public void Failed(BootRequester who, string detail, long bytes) => Report(who, BootStage.TransferFailed, detail, TimeSpan.Zero, bytes);

    public void Script(BootRequester who, string script, Guid? uuid, TimeSpan service)
    {
        if (who.Mac is { } mac)
            observer.Report(new() { Mac = mac, Stage = BootStage.Script, Network = who.Network.Name, At = clock.GetUtcNow(), Ip = who.Address, Detail = script, Uuid = uuid, Service = service, NetworkBoot = true });
    }

    void Report(BootRequester who, BootStage stage, string detail, TimeSpan service, long bytes)
    {
        if (who.Mac is { } mac)
            observer.Report(new() { Mac = mac, Stage = stage, Network = who.Network.Name, At = clock.GetUtcNow(), Ip = who.Address, Detail = detail, Service = service, Bytes = bytes, NetworkBoot = true });
    }
}
