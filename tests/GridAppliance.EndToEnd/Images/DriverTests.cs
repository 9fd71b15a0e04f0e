namespace GridAppliance.EndToEnd.Images;

/// <summary>Which driver the metal image would load for what a bus reports, answered by the modprobe that does it on a node.</summary>
public sealed class DriverTests(DriverTests.MetalRoot metal) : IClassFixture<DriverTests.MetalRoot>
{
    /// <summary>Hardware as /sys names it: vendor, device and subsystem of cards that are in many racks.</summary>
    public static TheoryData<string, string> Hardware => new()
    {
        { "mlx5_core", "pci:v000015B3d00001017sv000015B3sd00000016bc02sc00i00" },
        { "mlx4_core", "pci:v000015B3d00001007sv000015B3sd00000061bc02sc00i00" },
        { "e1000e", "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00" },
        { "igb", "pci:v00008086d00001521sv00001028sd00001F60bc02sc00i00" },
        { "ixgbe", "pci:v00008086d000010FBsv00008086sd00000003bc02sc00i00" },
        { "i40e", "pci:v00008086d00001572sv00008086sd00000001bc02sc00i00" },
        { "ice", "pci:v00008086d00001592sv00008086sd00000002bc02sc00i00" },
        { "bnx2", "pci:v000014E4d00001639sv00001028sd00000235bc02sc00i00" },
        { "bnx2x", "pci:v000014E4d0000168Esv0000103Csd00003382bc02sc00i00" },
        { "bnxt_en", "pci:v000014E4d000016D7sv000014E4sd00001404bc02sc00i00" },
        { "tg3", "pci:v000014E4d0000165Fsv00001028sd00001F5Bbc02sc00i00" },
        { "r8169", "pci:v000010ECd00008168sv00001043sd00008554bc02sc00i00" },
        { "virtio_net", "virtio:d00000001v00001AF4" },
        { "virtio_pci", "pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00" },
        { "nvme", "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02" },
        { "ahci", "pci:v00008086d0000A182sv00001028sd000006DFbc01sc06i01" },
        { "megaraid_sas", "pci:v00001000d0000005Dsv00001028sd00001F49bc01sc04i00" },
        { "mpt3sas", "pci:v00001000d00000097sv00001000sd00003090bc01sc07i00" },
        { "hpsa", "pci:v0000103Cd00003239sv0000103Csd000021C0bc01sc04i00" },
        { "aacraid", "pci:v00009005d0000028Dsv00009005sd00000550bc01sc04i00" },
        { "smartpqi", "pci:v00009005d0000028Fsv0000103Csd00000600bc01sc07i00" },
        { "virtio_blk", "virtio:d00000002v00001AF4" },
        { "sd_mod", "scsi:t-0x00" },
        { "xhci_pci", "pci:v00008086d0000A12Fsv00001028sd000006DFbc0Csc03i30" },
        { "ipmi_si", "acpi:IPI0001:" },
        { "ipmi_si", "platform:dmi-ipmi-si" },
        { "ipmi_ssif", "platform:dmi-ipmi-ssif" },
    };

    [LabTheory]
    [MemberData(nameof(Hardware))]
    public async Task What_a_bus_reports_leads_to_its_driver(string driver, string alias)
    {
        var loads = (await metal.ModprobeAsync(alias)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => Path.GetFileNameWithoutExtension(line.Split(' ')[1]).Replace('-', '_')).ToList();

        Assert.Contains(driver, loads);
    }

    /// <summary>No kernel, no drivers: the firmware of cards that do nothing without it.</summary>
    [LabFact]
    public void Firmware_stands_where_the_kernel_looks_unless_its_package_could_not_be_had()
    {
        var missing = new NodeImage("metal").Manifest["missingPackages"]!.AsArray().Select(name => (string)name!).ToList();
        foreach (var (package, folder) in ((string, string)[])[("firmware-bnx2", "bnx2"), ("firmware-bnx2x", "bnx2x"), ("firmware-misc-nonfree", "intel/ice/ddp"), ("firmware-realtek", "rtl_nic")])
            Assert.Equal(!missing.Contains(package), Directory.Exists(Path.Combine(metal.Root, "lib/firmware", folder)));
    }

    public sealed class MetalRoot : IAsyncLifetime
    {
        public string Root { get; } = Directory.CreateTempSubdirectory("metal-root-").FullName;

        /// <summary>What modprobe would load, as "insmod PATH" a line, dependencies first.</summary>
        public Task<string> ModprobeAsync(string alias) => NodeImage.RunAsync(["/usr/sbin/chroot", Root, "/bin/busybox", "modprobe", "-D", alias], "modprobe");

        public async Task InitializeAsync()
        {
            var image = new NodeImage("metal");
            await image.UnpackAsync(Root);
            // modprobe looks below the release of the kernel that runs, which here is this machine's.
            var running = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
            if (running != image.KernelVersion) Directory.CreateSymbolicLink(Path.Combine(Root, "lib/modules", running), image.KernelVersion);
        }

        public Task DisposeAsync()
        {
            Directory.Delete(Root, recursive: true);
            return Task.CompletedTask;
        }
    }
}
