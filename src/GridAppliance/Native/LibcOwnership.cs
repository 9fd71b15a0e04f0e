using System.Runtime.InteropServices;

namespace GridAppliance.Native;

/// <summary>Who owns a file: the base library sets modes, not owners.</summary>
static partial class Libc
{
    const uint Unchanged = uint.MaxValue;

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    /// <summary>Gives <paramref name="path"/> itself (a link is not followed) to a group.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static void ChangeGroup(string path, uint group)
    {
        if (ChangeOwner(path, Unchanged, group) != 0)
            throw new IOException($"{path} cannot be given to group {group}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }
}
