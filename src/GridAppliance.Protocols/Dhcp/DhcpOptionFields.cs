namespace GridAppliance.Protocols.Dhcp;

/// <summary>One option as it lies on the wire.</summary>
public readonly ref struct DhcpOptionField(DhcpOption code, ReadOnlySpan<byte> value)
{
    public DhcpOption Code { get; } = code;
    public ReadOnlySpan<byte> Value { get; } = value;
}

/// <summary>Walks the option fields of a message that <see cref="DhcpMessage.TryRead"/> has checked: options, then file, then sname.</summary>
public ref struct DhcpOptionFields
{
    readonly ReadOnlySpan<byte> packet;
    DhcpOverload left;
    ReadOnlySpan<byte> area;

    internal DhcpOptionFields(ReadOnlySpan<byte> packet, DhcpOverload overload)
    {
        this.packet = packet;
        left = overload;
        area = packet.Length > DhcpMessage.HeaderLength ? packet[DhcpMessage.HeaderLength..] : default;
    }

    public readonly DhcpOptionFields GetEnumerator() => this;

    public DhcpOptionField Current { get; private set; }

    public bool MoveNext()
    {
        while (true)
        {
            while (area.Length > 0 && area[0] == (byte)DhcpOption.Pad) area = area[1..];
            if (area.Length > 1 && area[0] != (byte)DhcpOption.End)
            {
                Current = new((DhcpOption)area[0], area.Slice(2, area[1]));
                area = area[(2 + area[1])..];
                return true;
            }
            if ((left & DhcpOverload.BootFile) != 0) area = packet.Slice(108, 128);
            else if ((left & DhcpOverload.ServerName) != 0) area = packet.Slice(44, 64);
            else return false;
            left &= ~((left & DhcpOverload.BootFile) != 0 ? DhcpOverload.BootFile : DhcpOverload.ServerName);
        }
    }
}
