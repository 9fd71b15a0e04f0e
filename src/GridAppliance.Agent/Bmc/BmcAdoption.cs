using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent.Inventory;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Agent.Bmc;

/// <summary>
/// Makes the appliance an account of its own on the machine's BMC, with a password that nobody else has ever seen, and hands it over sealed. Done again, it gives the same account another password;
/// accounts of other names are never touched.
/// </summary>
sealed class BmcAdoption(IBmcDoor door)
{
    const byte LastChannel = 8;
    /// <summary>The first is reserved by the specification for the nameless account.</summary>
    const byte FirstUser = 2;
    /// <summary>Which every BMC takes; 62 signs to choose from make 95 bits.</summary>
    const int PasswordLength = UserLimits.ShortPassword;
    const string Signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>The account, or in words why there is none.</summary>
    public (BmcHandover? Handover, string Message) Adopt(OrderDocument order, BmcOrder wanted)
    {
        if (wanted.Account is not { Length: > 0 and <= UserLimits.Name } || wanted.Account.Any(sign => !char.IsAsciiLetterOrDigit(sign))) return (null, "the order names no account that a BMC could have");
        if (!door.IsThere) return (null, "this machine has no BMC, or no driver for one");
        if (FindLan() is not { } lan) return (null, "the BMC has no address on any channel");
        if (FindSlot(lan.Channel, wanted.Account) is not { } user) return (null, "the BMC has no account to spare");

        var password = RandomNumberGenerator.GetString(Signs, PasswordLength);
        if (SealedHandover.Seal(Encoding.ASCII.GetBytes(password), wanted.SealTo, order.Id, order.NodeId) is not { } box) return (null, "the order has no key to seal to");
        if (SetUp(lan.Channel, user, wanted.Account, password) is { } refused) return (null, refused);
        return (new() { Address = lan.Address.ToString(), Account = wanted.Account, Key = box.Key, Box = box.Box }, $"made the appliance account {wanted.Account} on the BMC at {lan.Address}");
    }

    (byte Channel, Ipv4Address Address)? FindLan()
    {
        Span<byte> data = stackalloc byte[IpmiRequest.MaxData];
        for (byte channel = 1; channel <= LastChannel; channel++)
        {
            var request = new GetLanParameter(channel, LanParameter.IpAddress);
            if (IpmiDevice.TryReadAddress(door.Ask((byte)request.Function, request.Command, data[..request.WriteData(data)]), out var address)) return (channel, address);
        }
        return null;
    }

    /// <summary>The account of old, or the first that has no name and cannot sign in.</summary>
    byte? FindSlot(byte channel, string account)
    {
        byte? free = null;
        var most = FirstUser;
        for (var user = FirstUser; user <= most; user++)
        {
            if (!TryAsk(new GetUserAccess(channel, user), out var access)) break;
            most = access.MaxUsers;
            // A slot without a name is answered with an error by some.
            var name = TryAsk(new GetUserName(user), out var known) ? known : "";
            if (name == account) return user;
            if (name.Length == 0 && (!access.IpmiMessaging || access.Privilege == IpmiPrivilege.None)) free ??= user;
        }
        return free;
    }

    /// <summary>Null when all of it went well. The password comes before the rights: there is no moment at which the account has those and another one.</summary>
    string? SetUp(byte channel, byte user, string account, string password)
    {
        if (!TryAsk(new SetUserName(user, account), out _)) return "the BMC takes no name for the account";
        if (!TryAsk(new SetUserPassword(user, PasswordOperation.Set, Encoding.ASCII.GetBytes(password)), out _)) return "the BMC takes no password for the account";
        if (!TryAsk(new SetUserAccess(channel, user, IpmiPrivilege.Administrator, IpmiMessaging: true), out _)) return "the BMC gives the account no rights";
        if (!TryAsk(new SetUserPassword(user, PasswordOperation.EnableUser, default), out _)) return "the BMC does not enable the account";
        // Without it there is power and no console; BMCs exist that do not know the command and allow everybody.
        TryAsk(new AllowSerialOverLan(channel, user), out _);
        return null;
    }

    bool TryAsk<T>(IpmiRequest<T> request, out T answer)
    {
        Span<byte> data = stackalloc byte[IpmiRequest.MaxData];
        var octets = door.Ask((byte)request.Function, request.Command, data[..request.WriteData(data)]);
        answer = default!;
        if (octets is not [(byte)CompletionCode.Ok, ..] || !request.TryReadAnswer(octets.AsSpan(1), out var read)) return false;
        answer = read;
        return true;
    }
}
