using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Disks;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Agent.Disks;

/// <summary>A whole disk as the kernel has it.</summary>
/// <param name="Name">As in <c>/sys/block</c>.</param>
/// <param name="Path">Its device.</param>
/// <param name="Size">Octets.</param>
/// <param name="SectorSize">Octets of a logical sector.</param>
sealed record DiskDevice(string Name, string Path, long Size, int SectorSize)
{
    // linux/fs.h
    const nuint FlushBuffers = 0x1261, DiscardRange = 0x1277, ZeroRange = 0x127F, PartitionControl = 0x1269;
    // linux/blkpg.h
    const int AddPartition = 1, DeletePartition = 2, MostPartitions = 128;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15), DriverPatience = TimeSpan.FromMinutes(1), LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>The disk that an order means, waited for: an agent that has just started may have the order before the kernel has the disk's driver.</summary>
    /// <returns>As <see cref="Find(AgentPaths, DiskOrder)"/>, null after a minute.</returns>
    public static async Task<DiskDevice?> FindAsync(AgentPaths paths, DiskOrder order, TimeProvider clock, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; ; waited += LookAgain)
        {
            if (Find(paths, order) is { } disk) return disk;
            if (waited > DriverPatience) return null;
            await Task.Delay(LookAgain, clock, cancellationToken);
        }
    }

    /// <summary>The disk that an order means: the one with its serial number, whatever it is called by now; without a number the one of its name and size.</summary>
    /// <returns>Null when there is none, or another has taken its name.</returns>
    static DiskDevice? Find(AgentPaths paths, DiskOrder order)
    {
        var disk = DiskReader.Read(paths.Sys).FirstOrDefault(disk => order.Serial is { Length: > 0 } serial ? disk.Serial == serial && (disk.Wwn is null || order.Wwn is null || disk.Wwn == order.Wwn) : disk.Name == order.Name && disk.Serial is null);
        if (disk is null || disk.SizeBytes != order.SizeBytes) return null;
        var sector = SystemFiles.Number(System.IO.Path.Combine(paths.Sys, "block", disk.Name), "queue/logical_block_size") ?? 512;
        return new(disk.Name, $"/dev/{disk.Name}", disk.SizeBytes, (int)sector);
    }

    public string Partition(int number) => Path + (char.IsAsciiDigit(Path[^1]) ? "p" : "") + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Opens it for nobody else: a disk that is mounted, or part of a volume, is not given away.</summary>
    public SafeFileHandle OpenAlone()
    {
        var file = Libc.Open(Path, Libc.OpenReadWrite | Libc.OpenExclusive | Libc.OpenCloseOnExec);
        return file >= 0 ? new(file, ownsHandle: true) : throw new IOException($"{Name} cannot be had alone: {new Win32Exception().Message}");
    }

    /// <summary>Tells the kernel which partitions there are, in place of those that it knows, and waits for their devices: it need not be able to read a partition table for that.</summary>
    public async Task PartitionAsync(SafeFileHandle disk, IReadOnlyList<GptPartition> partitions, CancellationToken cancellationToken)
    {
        for (var number = 1; number <= MostPartitions; number++)
            if (!Tell(disk, DeletePartition, number, 0, 0) && Marshal.GetLastPInvokeError() == Libc.Busy) throw new IOException($"partition {number} is in use");
        for (var i = 0; i < partitions.Count; i++)
            if (!Tell(disk, AddPartition, i + 1, partitions[i].First * SectorSize, (partitions[i].Last - partitions[i].First + 1) * SectorSize)) throw new IOException($"the kernel does not take partition {i + 1}: {new Win32Exception().Message}");
        for (var waited = TimeSpan.Zero; !Enumerable.Range(1, partitions.Count).All(number => File.Exists(Partition(number))); waited += LookAgain)
        {
            if (waited > Patience) throw new IOException($"the partitions of {Name} do not appear");
            await Task.Delay(LookAgain, cancellationToken);
        }
    }

    /// <summary>What is read from here on comes from the disk, not from what memory kept of it.</summary>
    public static void ForgetCache(SafeFileHandle disk, string name)
    {
        RandomAccess.FlushToDisk(disk);
        Control(disk, FlushBuffers, name, "what memory has of it cannot be dropped");
    }

    /// <summary>Tells the disk that nothing on it is of use any more; one that cannot be told so is left.</summary>
    public void Discard(SafeFileHandle disk) => _ = Range(disk, DiscardRange, 0, Size);

    /// <summary>Zeros, by the disk's own means where it has some.</summary>
    public void Zero(SafeFileHandle disk, long offset, long length)
    {
        if (!Range(disk, ZeroRange, offset, length)) throw new IOException($"{Name}: octet {offset} and what follows cannot be written: {new Win32Exception().Message}");
    }

    static unsafe bool Range(SafeFileHandle disk, nuint request, long offset, long length)
    {
        var range = stackalloc long[2] { offset, length };
        return Libc.Ioctl(disk, request, range) == 0;
    }

    //  0      8       16      20            84            148
    // +------+-------+-------+-------------+-------------+
    // | from | octets| number| device name | volume name |    struct blkpg_partition; the names are not looked at
    // +------+-------+-------+-------------+-------------+
    static unsafe bool Tell(SafeFileHandle disk, int what, int number, long from, long length)
    {
        const int size = 152;
        var partition = stackalloc byte[size];
        new Span<byte>(partition, size).Clear();
        (*(long*)partition, *(long*)(partition + 8), *(int*)(partition + 16)) = (from, length, number);
        var question = stackalloc long[3] { what, size, (long)partition };
        return Libc.Ioctl(disk, PartitionControl, question) == 0;
    }

    static unsafe void Control(SafeFileHandle disk, nuint request, string name, string otherwise)
    {
        // A partition that udev or the kernel itself looks at this very moment is busy for as long.
        for (var tries = 0; Libc.Ioctl(disk, request, null) != 0; tries++)
        {
            if (Marshal.GetLastPInvokeError() != Libc.Busy || tries == 50) throw new IOException($"{name}: {otherwise}: {new Win32Exception().Message}");
            Thread.Sleep(LookAgain);
        }
    }
}
