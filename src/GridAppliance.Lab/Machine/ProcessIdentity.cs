using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Lab.Native;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Lab.Machine;

/// <summary>
/// One process, for good: its number is used again after its end, number and start time together are not (proc(5), field 22 of <c>stat</c>, in clock ticks
/// since the machine started).
/// </summary>
readonly record struct ProcessIdentity(int Pid, long StartTicks)
{
    /// <returns>Null when no process has this number, or it has ended and only waits to be reaped.</returns>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The program's name stands in parentheses and may hold both blanks and parentheses.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new ProcessIdentity(pid, long.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool IsAlive => Of(Pid) == this;

    /// <summary>Sends a signal to this process and to no other that may have its number by now.</summary>
    public void Signal(int signal)
    {
        var descriptor = Libc.OpenProcess(Pid, 0);
        if (descriptor < 0) return;
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        // The handle is fixed to whatever has the number now: only after that does the check hold.
        if (!IsAlive) return;
        if (Libc.SendSignal(handle, signal, 0, 0) != 0 && Marshal.GetLastPInvokeError() != NoSuchProcess)
            throw new LabException($"Process {Pid} cannot be signalled: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    const int NoSuchProcess = 3;
}
