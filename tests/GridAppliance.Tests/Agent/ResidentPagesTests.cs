using GridAppliance.Agent.Native;

namespace GridAppliance.Tests.Agent;

public sealed class ResidentPagesTests
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
    public void Only_what_is_of_the_programs_file_and_nobodys_own_is_given_back() => Assert.Equal([(0x400000ul, 0x10000ul)], ResidentPages.Clean(Maps, "/bin/grid-agent"));

    [Fact]
    public void A_process_goes_on_without_what_it_gave_back()
    {
        ResidentPages.GiveBack();
        Assert.Equal(55, Enumerable.Range(1, 10).Sum());
    }
}
