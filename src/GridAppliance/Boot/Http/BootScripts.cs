using GridAppliance.Boot.Files;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Http;

/// <summary>The scripts of <c>pxe/</c>, filled: pure once they are read.</summary>
sealed class BootScripts
{
    readonly ScriptTemplate chain = ScriptTemplate.Load("ipxe-chain");
    readonly ScriptTemplate node = ScriptTemplate.Load("ipxe-node");
    readonly ScriptTemplate local = ScriptTemplate.Load("ipxe-local");
    readonly ScriptTemplate san = ScriptTemplate.Load("ipxe-san");
    readonly ScriptTemplate sanRoot = ScriptTemplate.Load("ipxe-sanroot");
    readonly ScriptTemplate hold = ScriptTemplate.Load("ipxe-hold");

    /// <summary>The first script, the same for everyone: come back and say who you are.</summary>
    public byte[] Chain(BootPlaneUrl appliance) => chain.Fill(("appliance", ScriptValue.Of(appliance)));

    /// <param name="appliance">Where this network's boot plane answers.</param>
    /// <param name="mac">The NIC that boots.</param>
    /// <param name="catalog">Kernel, initramfs and arguments.</param>
    /// <param name="attempt">The boot attempt, with its one-time token.</param>
    /// <param name="fingerprint">SHA-256 of the appliance's public key, hex.</param>
    /// <param name="arguments">Where they are not the catalogue's own.</param>
    public byte[] Node(BootPlaneUrl appliance, MacAddress mac, BootCatalog catalog, IssuedAttempt attempt, string fingerprint, KernelArguments? arguments = null) => node.Fill(
        ("appliance", ScriptValue.Of(appliance)), ("mac", ScriptValue.Of(mac)),
        ("kernel", ScriptValue.Of(catalog.Kernel)), ("initramfs", ScriptValue.Of(catalog.Initramfs)), ("arguments", ScriptValue.Of(arguments ?? catalog.CommandLine)),
        ("attempt", ScriptValue.Token(attempt.Id)), ("token", ScriptValue.Token(attempt.Token)), ("fingerprint", ScriptValue.Token(fingerprint)));

    public byte[] Local(MacAddress mac) => local.Fill(("mac", ScriptValue.Of(mac)));

    /// <summary>With the word that opens the LUN: for the machine alone whose LUN it is.</summary>
    /// <param name="appliance">Where this network's boot plane answers.</param>
    /// <param name="mac">The NIC that boots.</param>
    /// <param name="portal">Where the target listens on this network.</param>
    /// <param name="lun">What it boots.</param>
    public byte[] San(BootPlaneUrl appliance, MacAddress mac, Ipv4Address portal, SanBootTarget lun) => san.Fill(Lun(appliance, mac, portal, lun));

    /// <summary>As <see cref="San"/>, with our kernel: its root is on the LUN.</summary>
    /// <param name="appliance">Where this network's boot plane answers.</param>
    /// <param name="mac">The NIC that boots.</param>
    /// <param name="portal">Where the target listens on this network.</param>
    /// <param name="lun">What its root is on.</param>
    /// <param name="catalog">Kernel, initramfs and arguments.</param>
    public byte[] SanRoot(BootPlaneUrl appliance, MacAddress mac, Ipv4Address portal, SanBootTarget lun, BootCatalog catalog) => sanRoot.Fill(
        [.. Lun(appliance, mac, portal, lun), ("kernel", ScriptValue.Of(catalog.Kernel)), ("initramfs", ScriptValue.Of(catalog.Initramfs)), ("arguments", ScriptValue.Of(catalog.CommandLine))]);

    static (string, ScriptValue)[] Lun(BootPlaneUrl appliance, MacAddress mac, Ipv4Address portal, SanBootTarget lun) =>
    [
        ("appliance", ScriptValue.Of(appliance)), ("mac", ScriptValue.Of(mac)), ("portal", ScriptValue.Of(portal)), ("port", ScriptValue.Of(lun.Port)), ("lun", ScriptValue.Of(lun.Lun)),
        ("target", ScriptValue.Iscsi(lun.Target)), ("initiator", ScriptValue.Iscsi(lun.Initiator)), ("user", ScriptValue.Iscsi(lun.User)), ("password", ScriptValue.Token(lun.Password)),
    ];

    public byte[] Hold(BootPlaneUrl appliance, MacAddress mac, string name) =>
        hold.Fill(("appliance", ScriptValue.Of(appliance)), ("mac", ScriptValue.Of(mac)), ("name", ScriptValue.Name(name)));
}
