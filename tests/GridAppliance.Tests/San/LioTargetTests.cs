using System.Net;
using GridAppliance.San;
using GridAppliance.San.Lio;

namespace GridAppliance.Tests.San;

/// <summary>
/// The kernel's target, on a folder that behaves as configfs does: attributes come with their directories, a directory that has anything but attributes in it stays, and what is
/// written is kept. This machine's kernel has no LIO.
/// </summary>
public sealed class LioTargetTests : IDisposable
{
    const string Host = "iqn.2026-11.lan.rack12:n1", Other = "iqn.2026-11.lan.rack12:n2", Authority = "iqn.2026-11.lan.rack12";
    const string Group = $"iscsi/{Authority}:grid-n1/tpgt_1";

    readonly string root = Directory.CreateTempSubdirectory("ga-lio-").FullName;
    readonly LikeConfigFolder folder;
    readonly LioTarget target;
    readonly string disk;

    public LioTargetTests()
    {
        var served = Directory.CreateDirectory(Path.Combine(root, "served")).FullName;
        disk = Path.Combine(served, "n1.img");
        File.WriteAllBytes(disk, new byte[4096]);
        var kernel = Directory.CreateDirectory(Path.Combine(root, "kernel")).FullName;
        folder = new(kernel);
        target = new(new("lio+iscsi://10.0.0.1"), folder, new(Authority, new(IPAddress.Parse("10.0.0.1"), 3260), served, initiator => new($"user-{initiator[^2..]}", $"word-{initiator[^2..]}")));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    SanZone Zone(params string[] initiators) => new("grid-n1", [.. initiators], [disk]);

    [Fact]
    public async Task A_target_lets_in_whom_it_names_and_nobody_else()
    {
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Host), default));
        Assert.Equal(("1", "0", "1"), (folder.Read($"{Group}/enable"), folder.Read($"{Group}/attrib/generate_node_acls"), folder.Read($"{Group}/attrib/authentication")));
        Assert.Equal([Host], folder.Children($"{Group}/acls"));
        Assert.Equal(("user-n1", "word-n1"), (folder.Read($"{Group}/acls/{Host}/auth/userid"), folder.Read($"{Group}/acls/{Host}/auth/password")));
        Assert.Equal($"fd_dev_name={disk},fd_dev_size=4096", folder.Read("core/fileio_0/grid-n1.0/control"));
        Assert.Equal(["10.0.0.1:3260"], folder.Children($"{Group}/np"));
        Assert.Equal(Zone(Host), Assert.Single(await target.ReadAsync(default)));
        Assert.Equal(SanOutcome.Unchanged, await target.ConnectAsync(Zone(Host), default));
    }

    [Fact]
    public async Task Who_is_no_longer_named_is_out_and_a_target_that_is_taken_away_leaves_nothing()
    {
        await target.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Other), default));
        Assert.Equal([Other], folder.Children($"{Group}/acls"));
        Assert.Equal(SanOutcome.Done, await target.DisconnectAsync("grid-n1", default));
        Assert.Empty(folder.Children("iscsi"));
        Assert.Empty(folder.Children("core/fileio_0"));
        Assert.Equal(SanOutcome.Unchanged, await target.DisconnectAsync("grid-n1", default));
    }

    [Theory]
    [InlineData("/etc/shadow", Host, "is not below")]
    [InlineData("{0}/../kernel", Host, "is not below")]
    [InlineData("{0}/n1.img,fd_dev_size=1", Host, "cannot be given")]
    [InlineData("{0}/n1.img", "iqn.2026-11.x/../../etc", "is no iSCSI name")]
    [InlineData("{0}/n1.img", "root", "is no iSCSI name")]
    public async Task What_is_not_ours_to_serve_or_names_nobody_is_refused(string file, string initiator, string reason)
    {
        var outcome = await target.ConnectAsync(new("grid-n1", [initiator], [string.Format(file, Path.GetDirectoryName(disk))]), default);
        Assert.Equal(SanEnding.Refused, outcome.Ending);
        Assert.Contains(reason, outcome.Reason);
        Assert.Empty(folder.Children("iscsi"));
    }

    [Fact]
    public void An_account_never_shows_its_word() => Assert.Equal("n1", new ChapAccount("n1", "a word").ToString());

    /// <summary>A plain folder that behaves as configfs does.</summary>
    sealed class LikeConfigFolder(string root) : IConfigFolder
    {
        readonly KernelConfigFolder kernel = new(root);

        public bool Exists(string path) => kernel.Exists(path);

        public IReadOnlyList<string> Children(string path) => [.. kernel.Children(path).Where(c => Directory.Exists(Path.Combine(root, path, c)) || new FileInfo(Path.Combine(root, path, c)).LinkTarget is not null)];

        public string Read(string path) => kernel.Read(path);

        public void Make(string path)
        {
            kernel.Make(path);
            var name = Path.GetFileName(path);
            if (path.StartsWith("core/fileio_0/", StringComparison.Ordinal)) Attributes(path, "control", "enable", "info");
            else if (name == "tpgt_1")
            {
                Attributes(path, "enable");
                foreach (var part in (string[])["attrib", "acls", "lun", "np"]) kernel.Make($"{path}/{part}");
                Attributes($"{path}/attrib", "generate_node_acls", "authentication", "demo_mode_write_protect");
            }
            else if (path.Contains("/acls/", StringComparison.Ordinal) && name.StartsWith("iqn.", StringComparison.Ordinal))
            {
                kernel.Make($"{path}/auth");
                Attributes($"{path}/auth", "userid", "password");
            }
        }

        public void Write(string path, string value)
        {
            Assert.True(File.Exists(Path.Combine(root, path)), $"there is no attribute {path}");
            File.WriteAllText(Path.Combine(root, path), value + "\n");
            if (path.EndsWith("/control", StringComparison.Ordinal))
                File.WriteAllText(Path.Combine(root, Path.GetDirectoryName(path)!, "info"), $"Status: ACTIVATED\n        TCM FILEIO ID: 0        File: {value.Split(',')[0]["fd_dev_name=".Length..]}  Size: 4096\n");
        }

        public void Link(string path, string to)
        {
            Assert.True(Directory.Exists(Path.Combine(root, to)), $"there is no object {to}");
            kernel.Link(path, to);
        }

        public void Unlink(string path) => kernel.Unlink(path);

        // What the kernel made goes with it; anything that somebody made keeps it.
        public void Remove(string path)
        {
            string[] own = ["attrib", "acls", "lun", "np", "auth"];
            foreach (var part in own.Where(p => kernel.Exists($"{path}/{p}")))
            {
                Assert.Empty(Children($"{path}/{part}"));
                Directory.Delete(Path.Combine(root, path, part), recursive: true);
            }
            Assert.Empty(Children(path));
            foreach (var attribute in Directory.EnumerateFiles(Path.Combine(root, path))) File.Delete(attribute);
            kernel.Remove(path);
        }

        void Attributes(string path, params string[] names)
        {
            foreach (var name in names) File.WriteAllText(Path.Combine(root, path, name), "0\n");
        }
    }
}
