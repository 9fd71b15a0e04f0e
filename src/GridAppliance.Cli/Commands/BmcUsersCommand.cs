using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Power;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class BmcUsersCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<string?> set = new("--set") { Description = "Make this account, or change its role.", HelpName = "ACCOUNT" };
    readonly Option<string?> role = new("--role") { Description = "Of the account that is set: callback, user, operator or administrator.", HelpName = "ROLE" };
    readonly Option<bool> password = new("--password") { Description = "Ask for the account's password, or read it as a line from standard input. A new account needs one." };
    readonly Option<int?> slot = new("--slot") { Description = "Of a new account; the first that is free without it." };
    readonly Option<string?> disable = new("--disable") { Description = "Disable this account; its password is lost.", HelpName = "ACCOUNT" };
    readonly Option<bool> force = new("--force") { Description = "Even if it is the account that the appliance signs in with." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be changed, and do nothing." };

    public BmcUsersCommand() : base("users", "The accounts of a machine's BMC; with options, change one.")
    {
        Add(name);
        foreach (var option in (Option[])[set, role, password, slot, disable, force, dryRun]) Add(option);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var parsed = session.Parsed;
        var node = parsed.GetRequiredValue(name);
        var (made, ended) = (parsed.GetValue(set), parsed.GetValue(disable));
        if (made is not null && ended is not null) throw new UsageException("say either --set or --disable", "one account at a time");
        if (made is null && ended is null)
        {
            session.Show(await session.Client.GetBmcAccounts(node, cancellation), ApiJson.Default.IReadOnlyListBmcAccountDocument, accounts =>
            {
                foreach (var account in accounts.Where(IsWorthALine)) session.Terminal.NodeLine(node, new Cell(Describe(account)));
            });
            return ExitStatus.Done;
        }
        var changed = ended is not null
            ? await session.Client.DisableBmcAccount(node, ended, parsed.GetValue(force), parsed.GetValue(dryRun), cancellation)
            : await session.Client.SetBmcAccount(node, made!, Request(session, node), cancellation);
        session.Show(changed, ApiJson.Default.BmcChangeDocument, shown => session.Terminal.NodeLine(node, new Cell(shown.Message)));
        return ExitStatus.Done;
    }

    BmcAccountRequest Request(Session session, string node)
    {
        var parsed = session.Parsed;
        return new()
        {
            Role = parsed.GetValue(role) ?? throw new UsageException("say what the account may do", "--role operator, for one"),
            // Secrets are never arguments or variables: both can be read by others.
            Password = parsed.GetValue(password) ? session.Terminal.Secret($"password for {parsed.GetValue(set)} on {node}'s BMC: ") : null,
            Slot = parsed.GetValue(slot), Force = parsed.GetValue(force), DryRun = parsed.GetValue(dryRun),
        };
    }

    public static bool IsWorthALine(BmcAccountDocument account) => account.Name.Length > 0 || account.MaySignIn;

    public static string Describe(BmcAccountDocument account) =>
        $"{account.Id} {(account.Name.Length == 0 ? "(no name)" : account.Name)}, {account.Role}{(account.MaySignIn ? "" : ", may not sign in")}{(account.Enabled == false ? ", disabled" : "")}";
}
