using System.Text;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Modules;

public sealed class ManifestReaderTests
{
    const string Whole = """
        {"name":"web","version":"1.0","class":"web-server","summary":"s","start":["bin/run","-x"],"setup":["bin/setup"],"stop":["/bin/sh","bye"],"timeoutSeconds":20,"health":{"portParameter":"port"},
        "needs":{"cpus":2,"memoryMiB":64,"diskMiB":10,"network":true,"modules":["base"]},"firewall":"rules.nft",
        "files":[{"path":"/etc/web/site.conf","owner":800,"group":800,"mode":"0640"}],"users":[{"name":"web","id":800}],"sysctls":{"net.core.somaxconn":"1024"},
        "packages":[{"name":"haproxy","version":"2.6-1","sha256":"0000000000000000000000000000000000000000000000000000000000000000","conflicts":["apache2"]}],
        "kernelModules":["nf_tables"],"mounts":[{"path":"/srv/web","sizeMiB":16},{"path":"/srv/data","source":"/srv/shared"}],"hosts":[{"address":"10.0.0.1","names":["web"]}],
        "parameters":{"port":{"type":"number","default":"80","minimum":1,"maximum":65535},"title":{"type":"text","default":"a b"}}}
        """;

    static string Problem(string json) => ManifestReader.TryRead(Encoding.UTF8.GetBytes(json), out _, out var problem) ? "" : problem;

    [Fact]
    public void A_manifest_that_uses_every_key_is_read_whole()
    {
        Assert.True(ManifestReader.TryRead(Encoding.UTF8.GetBytes(Whole), out var manifest, out var problem), problem);
        Assert.Equal(("/etc/web/site.conf", 800, "0640"), manifest.Files![0] is var file ? (file.Path, file.Owner, file.Mode) : default);
        Assert.Equal(["base"], manifest.Needs!.Modules!);
        Assert.Equal(("80", 65535L), manifest.Parameters!["port"] is var port ? (port.Default, port.Maximum ?? 0) : default);
    }

    [Theory]
    [InlineData("\"summary\":\"s\"", "\"sumary\":\"s\"", "sumary")]
    [InlineData("/etc/web/site.conf", "/etc/../proc/x", "files[0] has a path that a module may not take")]
    [InlineData("/etc/web/site.conf", "etc/x", "files[0] has a path that a module may not take")]
    [InlineData("/etc/web/site.conf", "/bin/grid-agent", "files[0] has a path that a module may not take")]
    [InlineData("/etc/web/site.conf", "/var/lib/grid/changes/journal", "files[0] has a path that a module may not take")]
    [InlineData("/etc/web/site.conf", "/var/lib", "files[0] has a path that a module may not take")]
    [InlineData("/etc/web/site.conf", "/etc/a\\nb", "files[0] has a path that a module may not take")]
    [InlineData("0640", "4755", "files[0] has a mode")]
    [InlineData("0640", "0980", "files[0] has a mode")]
    [InlineData("\"owner\":800", "\"owner\":-1", "files[0] has an owner")]
    [InlineData("\"name\":\"web\",\"id\"", "\"name\":\"a:b\",\"id\"", "users[0] has no user's name")]
    [InlineData("\"id\":800", "\"id\":0", "users[0] has no number")]
    [InlineData("net.core.somaxconn", "net/../../x", "sysctls[0] is no sysctl's name")]
    [InlineData("net.core.somaxconn", "kernel.shmmax", "sysctls[0] is of shared memory")]
    [InlineData("\"1024\"", "\"1\\n2\"", "sysctls[0] has a value")]
    [InlineData("nf_tables", "../x", "kernelModules[0] is no kernel module's name")]
    [InlineData("/srv/web", "/proc", "mounts[0] has a path")]
    [InlineData("\"sizeMiB\":16", "\"sizeMiB\":0", "mounts[0] has no size")]
    [InlineData("10.0.0.1", "10.0.0.256", "hosts[0] has no IP address")]
    [InlineData("\"names\":[\"web\"]", "\"names\":[\"a b\"]", "hosts[0] has a name")]
    [InlineData("\"default\":\"80\"", "\"default\":\"0\"", "parameters[0] has a default that it would not accept")]
    [InlineData("\"type\":\"text\"", "\"type\":\"shape\"", "parameters[1] is of no known type")]
    [InlineData("[\"base\"]", "[\"web\"]", "needs.modules[0] is the module itself")]
    [InlineData("[\"base\"]", "[\"../x\"]", "needs.modules[0] is no module's name")]
    [InlineData("\"name\":\"web\",\"version\"", "\"name\":\"reboot\",\"version\"", "may not shadow it")]
    [InlineData("web-server", "agent", "may not shadow it")]
    [InlineData("bin/setup", "../setup", "setup: 1 to 64 arguments")]
    [InlineData("rules.nft", "../rules", "firewall: a file of the package")]
    [InlineData("/srv/shared", "/proc", "mounts[1] has a source")]
    [InlineData("\"source\":\"/srv/shared\"", "\"source\":\"/a\",\"sizeMiB\":1", "mounts[1] has neither or both")]
    [InlineData("\"a b\"", "\"a; b\"", "parameters[1] has a default that it would not accept")]
    [InlineData("\"apache2\"", "\"Apache 2\"", "packages[0] conflicts with")]
    [InlineData("\"timeoutSeconds\":20", "\"timeoutSeconds\":100000", "timeoutSeconds")]
    [InlineData("{\"portParameter\":\"port\"}", "{\"port\":70000}", "health.port")]
    [InlineData("{\"portParameter\":\"port\"}", "{\"portParameter\":\"title\"}", "health.portParameter")]
    [InlineData("{\"portParameter\":\"port\"}", "{}", "health: one of")]
    public void What_is_not_acceptable_is_said_by_its_place(string good, string bad, string says)
    {
        Assert.Contains(good, Whole);
        Assert.Contains(says, Problem(Whole.Replace(good, bad)));
    }

    static string ProblemOfName(string word) => Problem(Whole.Replace("\"name\":\"web\",\"version\"", $"\"name\":\"{word}\",\"version\""));

    static string ProblemOfClass(string word) => Problem(Whole.Replace("web-server", word));

    [Fact]
    public void What_the_agents_orders_begin_with_and_its_own_programs_are_neither_a_modules_name_nor_its_class()
    {
        string[] words = ["agent", "bmc", "disk", "fabric", "image", "inventory", "module", "reboot", "relation", "resources"];
        Assert.Equal(words, OrderKinds.All.Select(kind => kind.Split('.')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.All([.. words, "grid-agent", "grid-run", "grid-dhcp"], word =>
        {
            Assert.StartsWith($"{word} is a word of the agent's own orders", ProblemOfName(word), StringComparison.Ordinal);
            Assert.StartsWith($"{word} is a word of the agent's own orders", ProblemOfClass(word), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("run")]
    [InlineData("boot")]
    [InlineData("free")]
    [InlineData("probe")]
    [InlineData("update")]
    [InlineData("install")]
    [InlineData("images")]
    [InlineData("memory")]
    public void Words_that_stand_in_the_way_of_no_order_may_name_a_module_and_a_class(string word) => Assert.Equal(("", ""), (ProblemOfName(word), ProblemOfClass(word)));

    [Fact]
    public void Whatever_the_octets_the_reader_answers_and_what_it_accepts_is_within_its_bounds()
    {
        var whole = Encoding.UTF8.GetBytes(Whole);
        foreach (var damaged in Mutations.Truncations(whole).Concat(Mutations.Of(whole, seed: 5, count: 20_000)))
        {
            if (!ManifestReader.TryRead(damaged, out var manifest, out var problem))
            {
                Assert.NotEqual("", problem);
                continue;
            }
            Assert.True(ModuleManifest.IsName(manifest.Name) && ModuleManifest.IsVersion(manifest.Version));
            Assert.All(manifest.Files ?? [], file => Assert.True(ManifestReader.IsPlace(file.Path)));
            Assert.All(manifest.Mounts ?? [], mount => Assert.True(ManifestReader.IsPlace(mount.Path)));
        }
        Assert.Contains("longer than", Problem(Whole + new string(' ', ModuleManifest.MaximumLength)));
        Assert.NotEqual("", Problem(new string('[', 50_000)));
        Assert.NotEqual("", Problem("null"));
    }
}
