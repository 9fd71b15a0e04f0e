using System.Runtime.InteropServices;

namespace GridAppliance.Native;

static partial class Libc
{
    const uint OwnerReadWrite = 0x180; // 0600

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    /// <summary>A named pipe for the daemon's user alone (mkfifo(3)).</summary>
    /// <exception cref="IOException">It could not be made.</exception>
    public static void MakePipe(string path)
    {
        if (MakeFifo(path, OwnerReadWrite) != 0) throw Failure($"mkfifo {path}");
    }
}
