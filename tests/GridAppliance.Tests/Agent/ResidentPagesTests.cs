using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Native;

namespace GridAppliance.Tests.Agent;

public sealed partial class ResidentPagesTests
{
    const string Maps = """
        00400000-00410000 r-xp 00001000 00:01 7                          /bin/grid-agent
        Size:                 64 kB
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        00410000-00412000 r--p 00011000 00:01 7                          /bin/grid-agent
        Anonymous:             4 kB
        00412000-00413000 rw-p 00013000 00:01 7                          /bin/grid-agent
        Anonymous:             0 kB
        00500000-00501000 r-xs 00000000 00:05 8                          /memfd:doublemapper (deleted)
        Anonymous:             0 kB
        00600000-00602000 r--p 00000000 00:00 0
        Anonymous:             0 kB
        00700000-00701000 r-xp 00000000 00:00 0                          [vdso]
        Anonymous:             0 kB
        7f0000000000-7f0000003000 r--p 00000000 00:01 9                  /lib/with a blank.so
        Anonymous:             0 kB
        """;

    [Fact]
    public void Only_what_is_of_the_programs_file_and_nobodys_own_is_given_back() => Assert.Equal([(0x400000ul, 0x10000ul)], ResidentPages.Clean(Maps.Split('\n'), "/bin/grid-agent"));

    /// <summary>A file mapped as the loader maps a program, and read whole.</summary>
    [Fact]
    public unsafe void A_programs_pages_are_out_of_memory_afterwards_and_read_again_as_they_were()
    {
        const int Size = 1 << 20;
        var path = Path.GetTempFileName();
        try
        {
            var content = new byte[Size];
            Random.Shared.NextBytes(content);
            File.WriteAllBytes(path, content);
            using var file = File.OpenHandle(path);
            var mapped = Map(0, Size, ProtectionRead, MapPrivate, (int)file.DangerousGetHandle(), 0);
            Assert.NotEqual(-1, mapped);
            try
            {
                Assert.True(content.AsSpan().SequenceEqual(new((void*)mapped, Size)));
                Assert.Equal(Size / 1024, ResidentKiB(path));
                ResidentPages.GiveBack(path);
                Assert.Equal(0, ResidentKiB(path));
                Assert.True(content.AsSpan().SequenceEqual(new((void*)mapped, Size)));
            }
            finally
            {
                Assert.Equal(0, Unmap(mapped, Size));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    static int ResidentKiB(string path)
    {
        var (sum, counts) = (0, false);
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            if (line.Contains('-') && line.Contains(':') && !line.Contains(" kB", StringComparison.Ordinal)) counts = line.EndsWith($" {path}", StringComparison.Ordinal);
            else if (counts && line.StartsWith("Rss:", StringComparison.Ordinal)) sum += int.Parse(line[4..^3], CultureInfo.InvariantCulture);
        }
        return sum;
    }

    const int ProtectionRead = 1, MapPrivate = 2;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint at, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint at, nuint length);
}
