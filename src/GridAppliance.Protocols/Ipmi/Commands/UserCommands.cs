using System.Text;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get User Access (IPMI 2.0, section 22.27).</summary>
public sealed record GetUserAccess(byte Channel, byte User) : IpmiRequest<UserAccess>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x44;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)(Channel & 0x0F);
        data[1] = (byte)(User & 0x3F);
        return 2;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out UserAccess answer)
    {
        answer = default;
        if (data.Length < 4) return false;
        answer = new()
        {
            MaxUsers = (byte)(data[0] & 0x3F),
            Status = (UserStatus)(data[1] >> 6),
            EnabledUsers = (byte)(data[1] & 0x3F),
            FixedNames = (byte)(data[2] & 0x3F),
            CallbackOnly = (data[3] & 0x40) != 0,
            LinkAuthentication = (data[3] & 0x20) != 0,
            IpmiMessaging = (data[3] & 0x10) != 0,
            Privilege = (IpmiPrivilege)(data[3] & 0x0F),
        };
        return true;
    }
}

public enum UserStatus : byte { Unspecified = 0, Enabled = 1, Disabled = 2, Reserved = 3 }

public readonly record struct UserAccess
{
    /// <summary>Ids run from 1 to this.</summary>
    public byte MaxUsers { get; init; }
    /// <summary>IPMI 1.5 BMCs leave it unspecified.</summary>
    public UserStatus Status { get; init; }
    public byte EnabledUsers { get; init; }
    public byte FixedNames { get; init; }
    public bool CallbackOnly { get; init; }
    public bool LinkAuthentication { get; init; }
    /// <summary>May open sessions over the LAN.</summary>
    public bool IpmiMessaging { get; init; }
    public IpmiPrivilege Privilege { get; init; }
}

/// <summary>Set User Access (section 22.26).</summary>
public sealed record SetUserAccess(byte Channel, byte User, IpmiPrivilege Privilege, bool IpmiMessaging) : IpmiOrder
{
    const byte ChangeFlags = 0x80;
    const byte LinkAuthenticationBit = 0x20;
    const byte IpmiMessagingBit = 0x10;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x43;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)(ChangeFlags | LinkAuthenticationBit | (IpmiMessaging ? IpmiMessagingBit : 0) | Channel & 0x0F);
        data[1] = (byte)(User & 0x3F);
        data[2] = (byte)Privilege;
        return 3;
    }
}

/// <summary>Get User Name (section 22.29).</summary>
public sealed record GetUserName(byte User) : IpmiRequest<string>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x46;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)(User & 0x3F);
        return 1;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out string answer)
    {
        answer = "";
        if (data.Length < 1) return false;
        var name = data[..Math.Min(data.Length, UserLimits.Name)];
        var end = name.IndexOf((byte)0);
        answer = Encoding.Latin1.GetString(end < 0 ? name : name[..end]);
        return true;
    }
}

/// <summary>Set User Name (section 22.28).</summary>
public sealed record SetUserName(byte User, string Name) : IpmiOrder
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x45;

    public override int WriteData(Span<byte> data)
    {
        data[..(1 + UserLimits.Name)].Clear();
        data[0] = (byte)(User & 0x3F);
        Encoding.Latin1.GetBytes(Name, data.Slice(1, UserLimits.Name));
        return 1 + UserLimits.Name;
    }
}

public static class UserLimits
{
    public const int Name = 16;
    /// <summary>Octets of an IPMI 1.5 password, which every BMC takes.</summary>
    public const int ShortPassword = 16;
    /// <summary>Octets of an IPMI 2.0 password.</summary>
    public const int LongPassword = 20;
}

public enum PasswordOperation : byte { DisableUser = 0, EnableUser = 1, Set = 2, Test = 3 }

/// <summary>Set User Password (section 22.30), which also enables and disables an account. A password past sixteen octets is sent in the twenty-octet form.</summary>
public sealed record SetUserPassword(byte User, PasswordOperation Operation, ReadOnlyMemory<byte> Password) : IpmiOrder
{
    const byte LongForm = 0x80;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x47;

    public override int WriteData(Span<byte> data)
    {
        var isLong = Password.Length > UserLimits.ShortPassword;
        data[0] = (byte)(User & 0x3F | (isLong ? LongForm : 0));
        data[1] = (byte)Operation;
        if (Operation is PasswordOperation.DisableUser or PasswordOperation.EnableUser) return 2;
        var field = data.Slice(2, isLong ? UserLimits.LongPassword : UserLimits.ShortPassword);
        field.Clear();
        Password.Span.CopyTo(field);
        return 2 + field.Length;
    }

    /// <summary>Never the password: this may reach a log.</summary>
    public override string ToString() => $"{nameof(SetUserPassword)} {{ User = {User}, Operation = {Operation} }}";
}

/// <summary>Set User Payload Access (section 24.6): lets an account use serial over LAN.</summary>
public sealed record AllowSerialOverLan(byte Channel, byte User) : IpmiOrder
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x4C;

    public override int WriteData(Span<byte> data)
    {
        data[..6].Clear();
        data[0] = (byte)(Channel & 0x0F);
        data[1] = (byte)(User & 0x3F);
        data[2] = 1 << (int)Session.PayloadType.SerialOverLan;
        return 6;
    }
}
