using System.Security.Cryptography;
using GridAppliance.Hosting;

namespace GridAppliance.Tests.Hosting;

public sealed class ApplianceKeyTests : IDisposable
{
    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("key");

    string FilePath => Path.Combine(directory.FullName, "appliance.key");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void The_key_is_made_once_and_only_its_owner_can_read_it()
    {
        using var made = ApplianceKey.Open(directory.FullName);
        using var read = ApplianceKey.Open(directory.FullName);
        Assert.Equal(made.Fingerprint, read.Fingerprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Single(directory.EnumerateFiles());
    }

    [Fact]
    public void What_it_signs_its_public_key_verifies()
    {
        using var key = ApplianceKey.Open(directory.FullName);
        Assert.Equal(key.Fingerprint, Convert.ToHexStringLower(SHA256.HashData(key.PublicKey)));
        var signature = key.Sign("an order"u8);
        Assert.Equal(64, signature.Length);
        using var verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key.PublicKey, out _);
        Assert.True(verifier.VerifyData("an order"u8, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        Assert.False(verifier.VerifyData("an Order"u8, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    [Fact]
    public void A_half_written_key_of_a_power_cut_is_replaced()
    {
        File.WriteAllText(FilePath + ".new", "-----BEGIN PRIV");
        using var key = ApplianceKey.Open(directory.FullName);
        Assert.Single(directory.EnumerateFiles());
    }

    [Fact]
    public void A_key_that_others_can_read_is_refused()
    {
        ApplianceKey.Open(directory.FullName).Dispose();
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains($"chmod 600 {FilePath}", Assert.Throws<StartupException>(() => ApplianceKey.Open(directory.FullName)).NextStep);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void A_file_that_is_no_key_is_refused_and_left_alone(string content)
    {
        File.WriteAllText(FilePath, content);
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Contains("is not an ECDSA P-256 key", Assert.Throws<StartupException>(() => ApplianceKey.Open(directory.FullName)).Message);
        Assert.Equal(content, File.ReadAllText(FilePath));
    }
}
