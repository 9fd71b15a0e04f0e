using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using GridAppliance.Hosting;

namespace GridAppliance.San.Tgt;

/// <summary>A target as <c>tgtd</c> shows it.</summary>
sealed record TgtShown(int Number, string Name, ImmutableArray<string> Files, ImmutableArray<string> Accounts, ImmutableArray<string> Admitted)
{
    /// <summary>The text of "show targets": a line for each target at the margin, headings below it by four spaces, entries by eight.</summary>
    public static IReadOnlyList<TgtShown> Read(string text)
    {
        const string path = "Backing store path: ";
        var found = new List<TgtShown>();
        var heading = "";
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.TrimEnd();
            if (line.StartsWith("Target ", StringComparison.Ordinal) && line.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon && int.TryParse(line.AsSpan(7, colon - 7), CultureInfo.InvariantCulture, out var number))
                found.Add(new(number, line[(colon + 2)..], [], [], []));
            else if (found.Count == 0 || line.Length == 0) continue;
            else if (line.StartsWith("    ", StringComparison.Ordinal) && line[4] != ' ') heading = line.Trim();
            else if (line.Trim() is var entry && heading == "LUN information:" && entry.StartsWith(path, StringComparison.Ordinal) && entry[path.Length..] is not "None" and var file) found[^1] = found[^1] with { Files = found[^1].Files.Add(file) };
            // "user" is what a target asks for, "user (outgoing)" what it shows of itself.
            else if (heading == "Account information:") found[^1] = found[^1] with { Accounts = found[^1].Accounts.Add(entry.Split(' ')[0]) };
            else if (heading == "ACL information:") found[^1] = found[^1] with { Admitted = found[^1].Admitted.Add(entry) };
        }
        return found;
    }
}

/// <summary>
/// Linux's user-space iSCSI target. A zone is a target of its own; initiators are let in by name and have to prove themselves by CHAP. Never by address as well: <c>tgtd</c> lets in
/// whoever has the name <em>or</em> the address. Letting go of a name does not end a session that is there, so whoever is put out takes the target with them, and the others come back to a new one.
/// </summary>
sealed class TgtTarget(Uri address, TgtSocket socket, IscsiSettings settings) : IBootableFabric
{
    readonly SemaphoreSlim turn = new(1, 1);

    public Uri Address => address;

    public string Directory => settings.Directory;

    public IscsiPath PathOf(string zone, string initiator) => new(settings.Portal.Address.Equals(IPAddress.Any) ? null : settings.Portal, (ushort)settings.Portal.Port, 1, NameOf(zone), settings.ChapOf(initiator));

    public async Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken) => [.. (await ShowAsync(cancellationToken)).Where(IsOurs).Select(Describe)];

    public Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken)
    {
        var problem = SanNames.ProblemOf(zone.Name) ?? zone.Initiators.Select(IscsiName.ProblemOf).FirstOrDefault(p => p is not null) ?? zone.Storage.Select(settings.ProblemOf).FirstOrDefault(p => p is not null);
        if (problem is null && (zone.Initiators.IsEmpty || zone.Storage.IsEmpty)) problem = "a target has at least one initiator and one file to serve";
        return problem is not null ? Task.FromResult(SanOutcome.Refused(problem)) : InTurnAsync(() => ConnectAsync(zone), cancellationToken);
    }

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) => SanNames.ProblemOf(zone) is { } problem
        ? Task.FromResult(SanOutcome.Refused(problem))
        : InTurnAsync(async () => await FindAsync(zone) is { } there ? await RemoveAsync(there) : SanOutcome.Unchanged, cancellationToken);

    async Task<SanOutcome> ConnectAsync(SanZone zone)
    {
        var there = await FindAsync(zone.Name);
        if (there is not null && Describe(there).Equals(zone) && AccountsOf(zone).SetEquals(there.Accounts)) return SanOutcome.Unchanged;
        // Only somebody new on a target that is whole: nobody else has to be put out for that.
        if (there is not null && zone.Storage.SetEquals(there.Files) && there.Admitted.All(zone.Initiators.Contains) && AccountsOf(Describe(there)).SetEquals(there.Accounts))
        {
            foreach (var initiator in zone.Initiators.Except(there.Admitted)) await AdmitAsync(there.Number, initiator);
            return await JudgeAsync(zone);
        }
        if (there is not null) await RemoveAsync(there);
        var taken = (await ShowAsync(CancellationToken.None)).Select(t => t.Number).ToHashSet();
        var number = Enumerable.Range(1, int.MaxValue - 1).First(n => !taken.Contains(n));
        try
        {
            await DoAsync(new(TgtMode.Target, TgtOperation.New, number, Parameters: ("targetname", NameOf(zone.Name))));
            ulong unit = 1;
            foreach (var file in zone.Storage) await DoAsync(new(TgtMode.LogicalUnit, TgtOperation.New, number, unit++, Parameters: ("path", file)));
            foreach (var initiator in zone.Initiators) await AdmitAsync(number, initiator);
            return await JudgeAsync(zone);
        }
        catch (DeviceException e)
        {
            // Half a target serves nobody.
            if (await FindAsync(zone.Name) is { } half) await RemoveAsync(half);
            return new(there is null ? SanEnding.RolledBack : SanEnding.Damaged, e.Message);
        }
    }

    // The account first: from the moment that the name is let in, it is asked to prove itself.
    async Task AdmitAsync(int target, string initiator)
    {
        var account = settings.ChapOf(initiator);
        // One that another target asks for has this word already. Another one may be left from before a fabric was taken in anew, with another word.
        if (!await IsAskedForAsync(account.User))
        {
            await ForgetAccountAsync(account.User);
            await DoAsync(new(TgtMode.Account, TgtOperation.New, Parameters: [("user", account.User), ("password", account.Password)]));
        }
        await DoAsync(new(TgtMode.Account, TgtOperation.Bind, target, Parameters: ("user", account.User)));
        await DoAsync(new(TgtMode.Target, TgtOperation.Bind, target, Parameters: ("initiator-name", initiator)));
    }

    async Task<SanOutcome> RemoveAsync(TgtShown there)
    {
        await DoAsync(new(TgtMode.Target, TgtOperation.Delete, there.Number, Force: true));
        foreach (var account in there.Accounts)
        {
            if (!await IsAskedForAsync(account)) await ForgetAccountAsync(account);
        }
        return SanOutcome.Done;
    }

    // tgtd takes an account that is deleted away from every target, and a target without accounts lets in whoever has the name.
    async Task<bool> IsAskedForAsync(string user) => (await ShowAsync(CancellationToken.None)).Any(t => t.Accounts.Contains(user));

    async Task ForgetAccountAsync(string user)
    {
        try
        {
            await DoAsync(new(TgtMode.Account, TgtOperation.Delete, Parameters: ("user", user)));
        }
        catch (DeviceException e) when (e.Fault == DeviceFault.Refused)
        {
            // There is none.
        }
    }

    async Task<SanOutcome> JudgeAsync(SanZone zone) => await FindAsync(zone.Name) is { } there && Describe(there).Equals(zone) && AccountsOf(zone).SetEquals(there.Accounts)
        ? SanOutcome.Done
        : new(SanEnding.Damaged, $"{NameOf(zone.Name)} is not as it was written");

    ImmutableHashSet<string> AccountsOf(SanZone zone) => [.. zone.Initiators.Select(i => settings.ChapOf(i).User)];

    SanZone Describe(TgtShown there) => new(there.Name[(settings.Authority.Length + 1)..], [.. there.Admitted], [.. there.Files]);

    bool IsOurs(TgtShown there) => there.Name.StartsWith($"{settings.Authority}:{SanNames.Prefix}", StringComparison.Ordinal);

    string NameOf(string zone) => $"{settings.Authority}:{zone}";

    async Task<TgtShown?> FindAsync(string zone) => (await ShowAsync(CancellationToken.None)).FirstOrDefault(t => t.Name == NameOf(zone));

    async Task<IReadOnlyList<TgtShown>> ShowAsync(CancellationToken cancellationToken) => TgtShown.Read(await socket.AskAsync(new(TgtMode.Target, TgtOperation.Show), cancellationToken));

    Task DoAsync(TgtOrder order) => socket.AskAsync(order, CancellationToken.None);

    async Task<SanOutcome> InTurnAsync(Func<Task<SanOutcome>> change, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        finally
        {
            turn.Release();
        }
    }
}
