using System.Buffers.Binary;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Activate Payload for serial over LAN (IPMI 2.0, section 24.1).</summary>
public sealed record ActivateSol(byte Instance, bool Encrypted, bool Authenticated) : IpmiRequest<SolActivation>
{
    const byte EncryptBit = 0x80;
    const byte AuthenticateBit = 0x40;
    /// <summary>Serial alerts are deferred while the console is ours; no start-up handshake, so CTS stays up.</summary>
    const byte DeferAlertsAndKeepCts = 0x06;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x48;

    public override int WriteData(Span<byte> data)
    {
        data[..6].Clear();
        data[0] = (byte)PayloadType.SerialOverLan;
        data[1] = Instance;
        data[2] = (byte)((Encrypted ? EncryptBit : 0) | (Authenticated ? AuthenticateBit : 0) | DeferAlertsAndKeepCts);
        return 6;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out SolActivation answer)
    {
        answer = default;
        if (data.Length < 12) return false;
        answer = new(BinaryPrimitives.ReadUInt16LittleEndian(data[4..]), BinaryPrimitives.ReadUInt16LittleEndian(data[6..]), BinaryPrimitives.ReadUInt16LittleEndian(data[8..]));
        return true;
    }
}

/// <summary>Largest SOL payload to and from the BMC, in octets with the SOL header, and the port to talk to.</summary>
public readonly record struct SolActivation(ushort MaxToBmc, ushort MaxFromBmc, ushort Port)
{
    /// <summary>The completion code "payload already active on another session" (section 24.1).</summary>
    public const byte AlreadyActive = 0x80;
    public const byte Disabled = 0x81;
    public const byte LimitReached = 0x82;
    public const byte CannotEncrypt = 0x83;
    public const byte MustEncrypt = 0x84;
}

/// <summary>Deactivate Payload for serial over LAN (section 24.2), whichever session has it.</summary>
public sealed record DeactivateSol(byte Instance) : IpmiOrder
{
    public const byte AlreadyInactive = 0x80;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x49;

    public override int WriteData(Span<byte> data)
    {
        data[..6].Clear();
        data[0] = (byte)PayloadType.SerialOverLan;
        data[1] = Instance;
        return 6;
    }
}

/// <summary>Get Payload Instance Info for serial over LAN (section 24.5): which session has the console.</summary>
public sealed record GetSolInstance(byte Instance) : IpmiRequest<SolInstance>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x4B;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)PayloadType.SerialOverLan;
        data[1] = Instance;
        return 2;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out SolInstance answer)
    {
        answer = default;
        if (data.Length < 4) return false;
        answer = new(BinaryPrimitives.ReadUInt32LittleEndian(data));
        return true;
    }
}

/// <param name="SessionId">The BMC's id of the session that has it; zero when nobody has.</param>
public readonly record struct SolInstance(uint SessionId);

/// <summary>Get Payload Activation Status for serial over LAN (section 24.4): whether anybody has the console. It does not say who.</summary>
public sealed record GetSolActivation(byte Instance) : IpmiRequest<bool>
{
    /// <summary>Instances 1 to 8 in the first octet, 9 to 16 in the second.</summary>
    const int MostInstances = 16;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x4A;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)PayloadType.SerialOverLan;
        return 1;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out bool answer)
    {
        answer = false;
        if (data.Length < 3 || Instance is 0 or > MostInstances) return false;
        answer = (BinaryPrimitives.ReadUInt16LittleEndian(data[1..]) >> (Instance - 1) & 1) != 0;
        return true;
    }
}
