using System.Text;
using GridAppliance.Boot;
using GridAppliance.Boot.Http;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Boot.Http;

public sealed class BootScriptsTests
{
    static readonly BootPlaneUrl Appliance = new(Ipv4Address.Parse("10.77.0.1"), 8067);
    readonly BootScripts scripts = new();

    /// <summary>The whole text: a change to a script is read by whoever changes it.</summary>
    static void IsGolden(string name, byte[] script) =>
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", "boot", name + ".golden")), Encoding.ASCII.GetString(script));

    [Fact]
    public void The_first_script_asks_who_it_is() => IsGolden("ipxe-chain", scripts.Chain(Appliance));

    [Fact]
    public void The_nodes_script_loads_the_node_image_with_its_token() => IsGolden("ipxe-node", scripts.Node(
        Appliance, BootBench.Mac, BootBench.Catalog().Current!, new IssuedAttempt("aBcDeF-_0123", "Zm9vYmFyYmF6cXV4MTIzNA"), new string('5', 64)));

    [Fact]
    public void The_local_script_leaves_the_network() => IsGolden("ipxe-local", scripts.Local(BootBench.Mac));

    static readonly SanBootTarget Lun = new(Guid.Empty, null, 3260, 1, "iqn.2026-11.lan.rack12:grid-boot-1", "iqn.2026-11.lan.rack12:node-1", Kernel: true, "iqn.2026-11.lan.rack12:node-1", "0123456789abcdef");

    [Fact]
    public void The_luns_script_loads_what_is_on_the_lun() => IsGolden("ipxe-san", scripts.San(Appliance, BootBench.Mac, Ipv4Address.Parse("10.77.0.1"), Lun with { Kernel = false }));

    [Fact]
    public void With_our_kernel_the_word_that_opens_the_lun_is_on_no_command_line()
    {
        var script = scripts.SanRoot(Appliance, BootBench.Mac, Ipv4Address.Parse("10.77.0.1"), Lun, BootBench.Catalog().Current!);
        IsGolden("ipxe-sanroot", script);
        Assert.DoesNotContain(Encoding.ASCII.GetString(script).Split('\n'), line => line.StartsWith("kernel", StringComparison.Ordinal) && line.Contains(Lun.Password, StringComparison.Ordinal));
    }

    [Fact]
    public void The_hold_script_says_why_nothing_boots() => IsGolden("ipxe-hold", scripts.Hold(Appliance, BootBench.Mac, "n1"));

    [Theory]
    [InlineData("n1\nshell")]
    [InlineData("${net0/mac}")]
    [InlineData("a && sanboot b || c ; d # e")]
    [InlineData("@mac@")]
    [InlineData("schräg")]
    public void A_name_cannot_say_anything_to_ipxe(string name)
    {
        var script = Encoding.ASCII.GetString(scripts.Hold(Appliance, BootBench.Mac, name));
        var harmless = Encoding.ASCII.GetString(scripts.Hold(Appliance, BootBench.Mac, "x"));
        Assert.Equal(harmless.Split('\n').Length, script.Split('\n').Length);
        var shown = script.Split('(')[1].Split(')')[0];
        Assert.Matches("^[A-Za-z0-9_-]+$", shown);
        Assert.Equal(name.Length, shown.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a&b")]
    [InlineData("a/b")]
    [InlineData("$x")]
    public void A_token_has_token_characters_only(string text) => Assert.Throws<ArgumentException>(() => ScriptValue.Token(text));

    [Fact]
    public void Every_script_begins_as_ipxe_wants_it_and_fits_a_screen()
    {
        foreach (var name in new[] { "ipxe-chain", "ipxe-node", "ipxe-local", "ipxe-san", "ipxe-sanroot", "ipxe-hold" })
        {
            using var stream = typeof(BootScripts).Assembly.GetManifestResourceStream($"pxe/{name}.ipxe")!;
            using var reader = new StreamReader(stream);
            var text = reader.ReadToEnd();
            Assert.StartsWith("#!ipxe\n", text);
            Assert.True(text.Split('\n').Length < 25);
            Assert.All(text, c => Assert.True(c is '\n' or >= ' ' and < (char)127));
        }
    }
}
