using System.Security.Cryptography;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Ipmi;

/// <summary>An open RMCP+ session: keys, numbers, and what has been seen of the BMC's. Used by one thread at a time.</summary>
sealed class IpmiSession(CipherSuite suite, uint consoleId, uint bmcId, ReadOnlySpan<byte> sessionKey) : IDisposable
{
    readonly SessionCipher cipher = new(suite, sessionKey);
    // Drawn for many packets at once.
    readonly byte[] vectors = new byte[32 * SessionCipher.BlockLength];
    int unusedVectors;
    SequenceWindow window;
    uint sent;

    public CipherSuite Suite { get; } = suite;
    /// <summary>The id that we gave the session: packets to us carry it.</summary>
    public uint ConsoleId { get; } = consoleId;
    /// <summary>The BMC's id of the session: packets to it carry that.</summary>
    public uint BmcId { get; } = bmcId;
    /// <summary>When it last served a caller, as a timestamp of the clock.</summary>
    public long LastUse { get; set; }
    /// <summary>When the BMC was last heard in it.</summary>
    public long LastHeard { get; set; }

    public int Seal(Span<byte> datagram, PayloadType type, ReadOnlySpan<byte> payload) =>
        cipher.Seal(datagram, type, BmcId, ++sent, payload, Suite.Confidentiality == ConfidentialityAlgorithm.None ? default : NextVector());

    ReadOnlySpan<byte> NextVector()
    {
        if (unusedVectors == 0)
        {
            RandomNumberGenerator.Fill(vectors);
            unusedVectors = vectors.Length / SessionCipher.BlockLength;
        }
        return vectors.AsSpan(--unusedVectors * SessionCipher.BlockLength, SessionCipher.BlockLength);
    }

    public bool TryOpen(in RmcpPlusPacket packet, Span<byte> clear, out int length, out IpmiDefect defect)
    {
        if (!cipher.TryOpen(packet, clear, out length, out defect)) return false;
        // Without signatures anybody could move the window: then it is not used.
        if (Suite.Integrity == IntegrityAlgorithm.None || window.TryTake(packet.Sequence)) return true;
        defect = IpmiDefect.Value;
        return false;
    }

    public void Dispose() => cipher.Dispose();
}
