using System.Security.Cryptography;
using GridAppliance.Protocols.Disks;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Disks;

/// <summary>Held against what sfdisk 2.38 wrote to a disk of 3,000,000,000 octets when it was given the same partitions and identities.</summary>
public sealed class GuidPartitionTableTests
{
    const long Size = 3_000_000_000;
    static readonly Guid Id = new("3f0a5a7e-90c4-4f6e-8d5e-0c1f6a3b2d11");

    static GuidPartitionTable Table => DiskLayout.For(Id, Size, 512)!;

    [Fact]
    public void Both_ends_are_what_sfdisk_writes()
    {
        var (primary, backup) = Written(Table);
        Assert.Equal("4546492050415254000001005c00000075e8de3c0000000001000000000000002e6859000000000022000000000000000d685900000000007e5a0a3fc4906e4f8d5e0c1f6a3b2d1102000000000000008000000080000000f65a40ad", Convert.ToHexStringLower(primary.AsSpan(512, 92)));
        Assert.Equal("00000200eeffffff010000002e685900", Convert.ToHexStringLower(primary.AsSpan(446, 16)));
        Assert.Equal("e7a5fdacf08b836e9e7bfbdd7f9c92b5e6709763572f8f2d4b057c624c3870b0", Convert.ToHexStringLower(SHA256.HashData(primary.AsSpan(440))));
        Assert.Equal("8a3b5427aef216e6d15ea08bd100a2b2e0844a2fbf4e118bce990ef3988be2de", Convert.ToHexStringLower(SHA256.HashData(backup)));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void What_is_written_is_read_again_from_either_end(int sector)
    {
        var table = DiskLayout.For(Id, Size / sector * sector, sector)!;
        var (primary, backup) = Written(table);
        foreach (var isBackup in (bool[])[false, true])
        {
            Assert.True(isBackup ? GuidPartitionTable.TryReadBackup(backup, sector, out var read, out _) : GuidPartitionTable.TryReadPrimary(primary, sector, out read, out _));
            Assert.Equal((table.DiskId, table.Sectors, table.SectorSize), (read.DiskId, read.Sectors, read.SectorSize));
            Assert.Equal(table.Partitions, read.Partitions);
        }
    }

    [Fact]
    public void A_backup_is_found_at_the_end_of_more_than_itself()
    {
        byte[] end = [.. new byte[5000 * 512], .. Written(Table).Backup];
        Assert.True(GuidPartitionTable.TryReadBackup(end, 512, out var read, out _));
        Assert.Equal(Id, read.DiskId);
    }

    [Fact]
    public void Boot_code_is_left_as_it_is()
    {
        var primary = new byte[Table.PrimaryLength];
        primary.AsSpan(0, GuidPartitionTable.BootCode).Fill(0xAA);
        Table.WritePrimary(primary);
        Assert.False(primary.AsSpan(0, GuidPartitionTable.BootCode).ContainsAnyExcept((byte)0xAA));
    }

    [Fact]
    public void No_prefix_of_a_table_is_one()
    {
        var (primary, backup) = Written(Table);
        for (var length = 0; length < primary.Length; length++) Assert.False(GuidPartitionTable.TryReadPrimary(primary.AsSpan(0, length), 512, out _, out _));
        for (var length = 0; length < backup.Length; length++) Assert.False(GuidPartitionTable.TryReadBackup(backup.AsSpan(0, length), 512, out _, out _));
    }

    [Fact]
    public void A_changed_octet_of_what_is_summed_is_seen()
    {
        var (primary, _) = Written(Table);
        foreach (var at in (int[])[512, 512 + 13, 512 + 60, 512 + 84, 1024, 1024 + 100, 1024 + 16383])
        {
            var changed = primary.ToArray();
            changed[at] ^= 0x10;
            Assert.False(GuidPartitionTable.TryReadPrimary(changed, 512, out _, out var defect));
            Assert.NotEqual(GptDefect.None, defect);
        }
    }

    [Fact]
    public void Damage_of_any_kind_is_a_defect_and_never_an_exception()
    {
        var (primary, backup) = Written(Table);
        foreach (var damaged in Mutations.Of(primary, 1, 300)) _ = GuidPartitionTable.TryReadPrimary(damaged, 512, out _, out _);
        foreach (var damaged in Mutations.Of(backup, 2, 300)) _ = GuidPartitionTable.TryReadBackup(damaged, 512, out _, out _);
    }

    [Theory]
    [InlineData(DiskLayout.SmallestDisk - 1, 512)]
    [InlineData(Size, 520)]
    public void A_disk_that_is_too_small_or_of_odd_sectors_has_no_layout(long size, int sector) => Assert.Null(DiskLayout.For(Id, size, sector));

    [Fact]
    public void Partitions_lie_side_by_side_between_the_tables()
    {
        foreach (var size in (long[])[DiskLayout.SmallestDisk, Size, (4L << 40) + 512])
        {
            var table = DiskLayout.For(Id, size, 512)!;
            Assert.True(table.Partitions[0].First * 512 >= table.PrimaryLength);
            for (var i = 1; i < table.Partitions.Count; i++) Assert.Equal(table.Partitions[i - 1].Last + 1, table.Partitions[i].First);
            Assert.True((table.Partitions[^1].Last + 1) * 512 <= size - table.BackupLength);
            Assert.Equal(4, table.Partitions.Select(partition => partition.Id).Append(Id).Distinct().Count());
        }
    }

    [Fact]
    public void A_boot_sector_knows_where_its_core_lies_and_the_core_where_its_rest_does()
    {
        var (image, record, core) = (new byte[512], new byte[512], new byte[100 * 512]);
        image.AsSpan().Fill(0x11);
        record.AsSpan(GuidPartitionTable.BootCode).Fill(0x22);
        GrubBiosBoot.PlaceBootCode(image, 2048, record);
        GrubBiosBoot.PlaceCore(core, 2048);
        Assert.Equal("0008000000000000ff119090", Convert.ToHexStringLower([.. record.AsSpan(0x5C, 8), record[0x64], record[0x65], .. record.AsSpan(0x66, 2)]));
        Assert.False(record.AsSpan(GuidPartitionTable.BootCode).ContainsAnyExcept((byte)0x22));
        Assert.Equal("010800000000000063002008", Convert.ToHexStringLower(core.AsSpan(500, 12)));
    }

    static (byte[] Primary, byte[] Backup) Written(GuidPartitionTable table)
    {
        var (primary, backup) = (new byte[table.PrimaryLength], new byte[table.BackupLength]);
        table.WritePrimary(primary);
        table.WriteBackup(backup);
        return (primary, backup);
    }
}
