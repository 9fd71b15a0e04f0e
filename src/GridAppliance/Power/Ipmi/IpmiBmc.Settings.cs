using System.Security.Cryptography;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Ipmi;

/// <summary>The BMC's own network settings and accounts.</summary>
sealed partial class IpmiBmc
{
    public async Task<ManagementLan> GetLanAsync(CancellationToken cancellationToken)
    {
        var source = await ReadAsync(LanParameter.IpAddressSource);
        return new()
        {
            Origin = source?.Source switch
            {
                IpAddressSource.Static => AddressOrigin.Static,
                IpAddressSource.Dhcp => AddressOrigin.Dhcp,
                IpAddressSource.Bios => AddressOrigin.Firmware,
                IpAddressSource.Other => AddressOrigin.Other,
                IpAddressSource.Unspecified or null => AddressOrigin.Unknown,
            },
            Address = (await ReadAsync(LanParameter.IpAddress))?.Address,
            Mask = (await ReadAsync(LanParameter.SubnetMask))?.Address,
            Gateway = (await ReadAsync(LanParameter.DefaultGateway))?.Address,
            Mac = (await ReadAsync(LanParameter.MacAddress))?.Mac,
            Vlan = (await ReadAsync(LanParameter.VlanId))?.Vlan,
        };

        async Task<LanValue?> ReadAsync(LanParameter parameter)
        {
            var answer = await owner.TryAskAsync(new GetLanParameter(IpmiChannel.Current, parameter), cancellationToken);
            return answer.Code == CompletionCode.Ok ? answer.Value : null;
        }
    }

    public async Task SetLanAsync(ManagementLan lan, CancellationToken cancellationToken)
    {
        const byte channel = IpmiChannel.Current;
        // Optional, and some BMCs put into force only what was committed: asked for, and not insisted on.
        await owner.TryAskAsync(SetLanParameter.Progress(channel, SetInProgress.Underway), cancellationToken);
        // The source first: a BMC that is on DHCP refuses an address. VLAN and address last, since they may take the BMC away from here.
        if (lan.Origin is { } origin) await owner.AskAsync(SetLanParameter.Source(channel, SourceOf(origin)), cancellationToken);
        await WriteAsync(LanParameter.SubnetMask, lan.Mask);
        await WriteAsync(LanParameter.DefaultGateway, lan.Gateway);
        if (lan.Vlan is { } vlan) await owner.AskAsync(SetLanParameter.Vlan(channel, vlan), cancellationToken);
        await WriteAsync(LanParameter.IpAddress, lan.Address);
        await owner.TryAskAsync(SetLanParameter.Progress(channel, SetInProgress.Commit), cancellationToken);
        await owner.TryAskAsync(SetLanParameter.Progress(channel, SetInProgress.Complete), cancellationToken);

        async Task WriteAsync(LanParameter parameter, Ipv4Address? address)
        {
            if (address is { } known) await owner.AskAsync(SetLanParameter.Address(channel, parameter, known), cancellationToken);
        }
    }

    public async Task<IReadOnlyList<DeviceAccount>> ListAccountsAsync(CancellationToken cancellationToken)
    {
        List<DeviceAccount> accounts = [];
        var max = 1;
        for (byte id = 1; id <= max; id++)
        {
            var access = await owner.AskAsync(new GetUserAccess(IpmiChannel.Current, id), cancellationToken);
            max = access.MaxUsers;
            var name = await owner.TryAskAsync(new GetUserName(id), cancellationToken);
            accounts.Add(new()
            {
                Id = id,
                Name = name.Value ?? "",
                Role = RoleOf(access.Privilege),
                IsEnabled = access.Status switch { UserStatus.Enabled => true, UserStatus.Disabled => false, UserStatus.Unspecified or UserStatus.Reserved => null },
                MaySignIn = access.IpmiMessaging,
            });
        }
        return accounts;
    }

    public async Task SetAccountAsync(int id, string name, ReadOnlyMemory<byte>? password, AccountRole role, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, UserLimits.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(password?.Length ?? 0, UserLimits.LongPassword);
        var user = checked((byte)id);
        // The password before the rights: an account is never open with the password that it happened to have.
        await owner.AskAsync(new SetUserName(user, name), cancellationToken);
        if (password is { } octets) await owner.AskAsync(new SetUserPassword(user, PasswordOperation.Set, octets), cancellationToken);
        await owner.AskAsync(new SetUserAccess(IpmiChannel.Current, user, PrivilegeOf(role), IpmiMessaging: true), cancellationToken);
        await owner.AskAsync(new SetUserPassword(user, PasswordOperation.EnableUser, default), cancellationToken);
        // Not every BMC keeps a right of its own for consoles.
        await owner.TryAskAsync(new AllowSerialOverLan(IpmiChannel.Current, user), cancellationToken);
    }

    public async Task DisableAccountAsync(int id, CancellationToken cancellationToken)
    {
        var user = checked((byte)id);
        // A random password first, for BMCs that know no "disabled".
        await owner.AskAsync(new SetUserPassword(user, PasswordOperation.Set, RandomNumberGenerator.GetBytes(UserLimits.ShortPassword)), cancellationToken);
        await owner.AskAsync(new SetUserPassword(user, PasswordOperation.DisableUser, default), cancellationToken);
    }

    static IpAddressSource SourceOf(AddressOrigin origin) => origin switch
    {
        AddressOrigin.Unknown => IpAddressSource.Unspecified,
        AddressOrigin.Static => IpAddressSource.Static,
        AddressOrigin.Dhcp => IpAddressSource.Dhcp,
        AddressOrigin.Firmware => IpAddressSource.Bios,
        AddressOrigin.Other => IpAddressSource.Other,
    };

    static AccountRole RoleOf(IpmiPrivilege privilege) => privilege switch
    {
        IpmiPrivilege.Highest or IpmiPrivilege.None => AccountRole.None,
        IpmiPrivilege.Callback => AccountRole.Callback,
        IpmiPrivilege.User => AccountRole.User,
        IpmiPrivilege.Operator => AccountRole.Operator,
        IpmiPrivilege.Administrator => AccountRole.Administrator,
        IpmiPrivilege.Oem => AccountRole.Oem,
    };

    static IpmiPrivilege PrivilegeOf(AccountRole role) => role switch
    {
        AccountRole.None => IpmiPrivilege.None,
        AccountRole.Callback => IpmiPrivilege.Callback,
        AccountRole.User => IpmiPrivilege.User,
        AccountRole.Operator => IpmiPrivilege.Operator,
        AccountRole.Administrator => IpmiPrivilege.Administrator,
        AccountRole.Oem => IpmiPrivilege.Oem,
    };
}
