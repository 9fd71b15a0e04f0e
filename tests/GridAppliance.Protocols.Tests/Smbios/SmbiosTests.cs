using GridAppliance.Protocols.Smbios;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Smbios;

public sealed class SmbiosTests
{
    // "dmidecode --dump-bin" puts the entry point first and the table at offset 32.
    const int TableOffset = 32;

    static byte[] Dump(string name) => SharedCases.Bytes($"hw/smbios/{name}.bin");

    static SmbiosSystem Read(string name)
    {
        var dump = Dump(name);
        Assert.True(SmbiosEntryPoint.TryRead(dump, out var entryPoint, out var defect), defect.ToString());
        var system = SmbiosSystem.Read(dump.AsSpan(TableOffset), entryPoint.UuidIsLittleEndian, out defect);
        Assert.Equal(SmbiosDefect.None, defect);
        return system;
    }

    [CaseFact]
    public void A_server_board_with_a_32_bit_entry_point()
    {
        Assert.True(SmbiosEntryPoint.TryRead(Dump("SuperMicro-X9DBL"), out var entryPoint, out _));
        Assert.Equal((2, 7, true), (entryPoint.Major, entryPoint.Minor, entryPoint.UuidIsLittleEndian));
        Assert.Equal(new SmbiosSystem
        {
            Manufacturer = "Thomas-Krenn.AG", Product = "X9DBL-3F/X9DBL-iF", Serial = "9000116105", Uuid = Guid.Parse("00000000-0000-0000-0000-0cc47a133878"),
            MemoryMiB = 4 * 4096 + 2 * 16384, MemoryModules = 6, HasIpmi = true,
        }, Read("SuperMicro-X9DBL"));
    }

    [CaseFact]
    public void A_workstation_board_with_a_64_bit_entry_point()
    {
        Assert.True(SmbiosEntryPoint.TryRead(Dump("GigaByte-X399"), out var entryPoint, out _));
        Assert.Equal((3, 1), (entryPoint.Major, entryPoint.Minor));
        Assert.Equal(new SmbiosSystem
        {
            Manufacturer = "Gigabyte Technology Co., Ltd.", Product = "X399 AORUS XTREME", Serial = "Default string", Uuid = Guid.Parse("032e02b4-0499-0533-a106-940700080009"),
            MemoryMiB = 8 * 16384, MemoryModules = 8,
        }, Read("GigaByte-X399"));
    }

    [CaseFact]
    public void A_uuid_from_before_version_2_6_is_in_network_order()
    {
        byte[] table = [1, 24, 1, 0, 0, 0, 0, 0, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0, 0];
        Assert.Equal(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), SmbiosSystem.Read(table, uuidIsLittleEndian: false, out _).Uuid);
        Assert.Equal(Guid.Parse("33221100-5544-7766-8899-aabbccddeeff"), SmbiosSystem.Read(table, uuidIsLittleEndian: true, out _).Uuid);
        table.AsSpan(8, 16).Fill(0xFF);
        Assert.Null(SmbiosSystem.Read(table, uuidIsLittleEndian: true, out _).Uuid);
    }

    [CaseFact]
    public void Large_modules_say_their_size_in_the_extended_field_and_flash_does_not_count()
    {
        byte[] SystemArray(byte use) => [16, 15, use, 0, 3, use, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
        byte[] Device(byte array, ushort size, uint extended) =>
            [17, 34, 9, 0, array, 0, 0, 0, 64, 0, 64, 0, (byte)size, (byte)(size >> 8), .. new byte[14], .. BitConverter.GetBytes(extended), 0, 0, 0, 0];
        var system = SmbiosSystem.Read([.. SystemArray(3), .. SystemArray(5), .. Device(3, 0x7FFF, 65536), .. Device(3, 0, 0), .. Device(3, 0xFFFF, 0), .. Device(5, 16, 0)], true, out var defect);
        Assert.Equal((SmbiosDefect.None, 65536L, 1), (defect, system.MemoryMiB, system.MemoryModules));
    }

    [CaseTheory]
    [InlineData("SuperMicro-X9DBL")]
    [InlineData("GigaByte-X399")]
    public void Every_truncation_of_table_and_entry_point_is_met_with_a_defect_or_a_shorter_table(string name)
    {
        var dump = Dump(name);
        foreach (var cut in Mutations.Truncations(dump[TableOffset..]))
        {
            var modules = SmbiosSystem.Read(cut, true, out _).MemoryModules;
            Assert.InRange(modules, 0, 8);
        }
        SmbiosEntryPoint.TryRead(dump, out _, out _);
        for (var length = 0; length < 24; length++) Assert.False(SmbiosEntryPoint.TryRead(dump.AsSpan(0, length), out _, out _));
    }

    [CaseTheory]
    [InlineData("SuperMicro-X9DBL")]
    [InlineData("GigaByte-X399")]
    public void Damaged_tables_never_throw_and_a_damaged_entry_point_fails_its_checksum(string name)
    {
        var dump = Dump(name);
        foreach (var damaged in Mutations.Of(dump[TableOffset..], seed: 17, count: 3000)) SmbiosSystem.Read(damaged, true, out _);
        for (var bit = 0; bit < 24 * 8; bit++)
        {
            var damaged = dump.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SmbiosEntryPoint.TryRead(damaged, out _, out var defect));
            Assert.NotEqual(SmbiosDefect.None, defect);
        }
    }

    [CaseFact]
    public void A_structure_shorter_than_its_header_ends_the_walk()
    {
        SmbiosSystem.Read([1, 3, 0, 0, 0, 0], true, out var defect);
        Assert.Equal(SmbiosDefect.BadLength, defect);
        SmbiosSystem.Read([1, 24, 0, 0, 0, 0], true, out defect);
        Assert.Equal(SmbiosDefect.Truncated, defect);
    }
}
