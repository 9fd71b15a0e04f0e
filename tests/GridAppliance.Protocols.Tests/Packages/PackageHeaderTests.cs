using GridAppliance.Protocols.Packages;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Packages;

public sealed class PackageHeaderTests
{
    static byte[] Written()
    {
        var octets = new byte[PackageHeader.MaximumLength];
        var length = PackageHeader.Write(octets, "key"u8, "signature"u8);
        return [.. octets[..length], .. "tar"u8];
    }

    [Fact]
    public void A_header_is_written_as_drawn_and_reads_the_same()
    {
        var octets = Written();
        Assert.Equal("47524944" + "4d4f4431" + "0003" + "0009" + "6b6579" + "7369676e6174757265" + "746172", Convert.ToHexStringLower(octets));
        Assert.True(PackageHeader.TryRead(octets, out var header, out var defect));
        Assert.Equal(PackageDefect.None, defect);
        Assert.True(header.Key.SequenceEqual("key"u8) && header.Signature.SequenceEqual("signature"u8));
        Assert.Equal("tar"u8, octets.AsSpan(header.Length));
    }

    [Fact]
    public void Every_truncation_of_a_header_is_refused_as_truncated()
    {
        foreach (var cut in Mutations.Truncations(Written()[..^3]))
        {
            Assert.False(PackageHeader.TryRead(cut, out _, out var defect));
            Assert.Equal(PackageDefect.Truncated, defect);
        }
    }

    [Fact]
    public void Damaged_headers_never_throw_and_never_claim_more_than_is_there()
    {
        foreach (var damaged in Mutations.Of(Written(), seed: 3, count: 5000))
            if (PackageHeader.TryRead(damaged, out var header, out _)) Assert.InRange(header.Length, 14, damaged.Length);
    }

    [Theory]
    [InlineData("4752494444454231000100010000", PackageDefect.NotAPackage)]
    [InlineData("475249444d4f4431000000010000", PackageDefect.LengthOutOfRange)]
    [InlineData("475249444d4f4431000102010000", PackageDefect.LengthOutOfRange)]
    [InlineData("475249444d4f4431ffff00010000", PackageDefect.LengthOutOfRange)]
    public void What_is_wrong_is_named(string octets, PackageDefect expected)
    {
        Assert.False(PackageHeader.TryRead(Convert.FromHexString(octets), out _, out var defect));
        Assert.Equal(expected, defect);
    }
}
