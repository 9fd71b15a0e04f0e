using System.Text;
using GridAppliance.Hosting;

namespace GridAppliance.Tests.Hosting;

public sealed class SecretsTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("secrets").FullName;

    string KeyFile => Path.Combine(folder, "key");

    [Fact]
    public void A_secret_comes_back_for_its_purpose_after_a_restart()
    {
        SealedSecret secret;
        using (var seal = SecretSeal.Open(KeyFile)) secret = seal.Seal("correct horse"u8, "port/n1/password");
        using var again = SecretSeal.Open(KeyFile);
        Assert.Equal("correct horse", Encoding.UTF8.GetString(again.Unseal(secret, "port/n1/password")!));
        Assert.Null(again.Unseal(secret, "port/n2/password"));
    }

    [Fact]
    public void The_same_secret_sealed_twice_looks_different_and_shows_nowhere()
    {
        using var seal = SecretSeal.Open(KeyFile);
        var (one, two) = (seal.Seal("correct horse"u8, "p"), seal.Seal("correct horse"u8, "p"));
        Assert.NotEqual(one, two);
        Assert.DoesNotContain("correct horse", Encoding.Latin1.GetString(Convert.FromBase64String(one.Text)), StringComparison.Ordinal);
        Assert.Equal("(sealed)", $"{one}");
    }

    [Fact]
    public void Another_key_and_a_changed_secret_give_nothing()
    {
        using var seal = SecretSeal.Open(KeyFile);
        using var other = SecretSeal.Open(KeyFile + "2");
        var secret = seal.Seal("correct horse"u8, "p");
        Assert.Null(other.Unseal(secret, "p"));
        var octets = Convert.FromBase64String(secret.Text);
        for (var i = 0; i < octets.Length; i++)
        {
            octets[i] ^= 1;
            Assert.Null(seal.Unseal(new(Convert.ToBase64String(octets)), "p"));
            Assert.Null(seal.Unseal(new(Convert.ToBase64String(octets[..i])), "p"));
            octets[i] ^= 1;
        }
        Assert.Null(seal.Unseal(new("not base64"), "p"));
    }

    [Fact]
    public void The_key_file_is_its_owners_alone_and_one_that_others_may_read_is_not_used()
    {
        SecretSeal.Open(KeyFile).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal([KeyFile], Directory.GetFiles(folder));
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Throws<InvalidDataException>(() => SecretSeal.Open(KeyFile));
    }

    [Fact]
    public void A_key_of_the_wrong_length_is_not_used_and_not_replaced()
    {
        File.WriteAllText(KeyFile, "short");
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Throws<InvalidDataException>(() => SecretSeal.Open(KeyFile));
        Assert.Equal("short", File.ReadAllText(KeyFile));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
