using System.Buffers.Binary;

namespace GridAppliance.Protocols.Telnet;

/// <summary>A serial line's settings, flow and wires over telnet: the COM-PORT option, RFC 2217 section 3.</summary>
/// <remarks>
/// A subnegotiation of option 44: a command and its value. What a client sends has the codes below, what a server answers or tells has them plus 100.
/// <code>
///   IAC SB 44 command value… IAC SE
/// </code>
/// </remarks>
public enum ComPortCommand : byte
{
    Signature = 0,
    /// <summary>Four octets, bits per second.</summary>
    SetBaudRate = 1,
    SetDataSize = 2,
    SetParity = 3,
    SetStopSize = 4,
    SetControl = 5,
    NotifyLineState = 6,
    NotifyModemState = 7,
    SuspendFlow = 8,
    ResumeFlow = 9,
    SetLineStateMask = 10,
    SetModemStateMask = 11,
    PurgeData = 12,
}

public enum ComPortParity : byte { None = 1, Odd = 2, Even = 3, Mark = 4, Space = 5 }

public enum ComPortStop : byte { One = 1, Two = 2 }

/// <summary>Values of <see cref="ComPortCommand.SetControl"/>.</summary>
public enum ComPortControl : byte
{
    NoFlowControl = 1, SoftwareFlowControl = 2, HardwareFlowControl = 3,
    BreakOn = 5, BreakOff = 6,
    DtrOn = 8, DtrOff = 9,
    RtsOn = 11, RtsOff = 12,
}

/// <summary>What a server said of its port.</summary>
/// <param name="Command">Of which command.</param>
/// <param name="Value">The setting as it is now; zero where the command has none.</param>
public readonly record struct ComPortAnswer(ComPortCommand Command, uint Value);

public static class ComPort
{
    /// <summary>A server's codes begin here.</summary>
    const byte FromServer = 100;

    /// <summary>Room for any command that these write: each value octet may be doubled.</summary>
    public const int LargestCommand = 3 + 1 + 8 + 2;

    public static int WriteBaudRate(Span<byte> destination, uint bitsPerSecond)
    {
        Span<byte> command = stackalloc byte[5];
        command[0] = (byte)ComPortCommand.SetBaudRate;
        BinaryPrimitives.WriteUInt32BigEndian(command[1..], bitsPerSecond);
        return Telnet.WriteSubnegotiation(destination, Telnet.ComPort, command);
    }

    public static int Write(Span<byte> destination, ComPortCommand command, byte value) => Telnet.WriteSubnegotiation(destination, Telnet.ComPort, [(byte)command, value]);

    /// <summary>Reads what stands between SB 44 and SE.</summary>
    /// <returns>False when it is no server's word that we know.</returns>
    public static bool TryRead(ReadOnlySpan<byte> subnegotiation, out ComPortAnswer answer)
    {
        answer = default;
        if (subnegotiation.IsEmpty || subnegotiation[0] is < FromServer or > FromServer + (byte)ComPortCommand.PurgeData) return false;
        var command = (ComPortCommand)(subnegotiation[0] - FromServer);
        var value = subnegotiation[1..];
        switch (command)
        {
            case ComPortCommand.SetBaudRate:
                if (value.Length != 4) return false;
                answer = new(command, BinaryPrimitives.ReadUInt32BigEndian(value));
                return true;
            case ComPortCommand.Signature or ComPortCommand.SuspendFlow or ComPortCommand.ResumeFlow:
                answer = new(command, 0);
                return true;
            default:
                if (value.Length != 1) return false;
                answer = new(command, value[0]);
                return true;
        }
    }
}
