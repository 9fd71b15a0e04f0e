using System.Globalization;
using System.Net;

namespace GridAppliance.San.Lio;

/// <summary>
/// Linux's own iSCSI target (LIO), through configfs and nothing else: no command line ever carries a CHAP password. A zone is a target of its own with the LUNs that it serves; each
/// initiator is let in by name and has to prove itself by CHAP. Nobody is let in unnamed.
/// </summary>
sealed class LioTarget(Uri address, IConfigFolder folder, IscsiSettings settings) : IBootableFabric
{
    const string Iscsi = "iscsi", Cores = "core/fileio_0";

    readonly SemaphoreSlim turn = new(1, 1);

    public Uri Address => address;

    public string Directory => settings.Directory;

    public IscsiPath PathOf(string zone, string initiator) => new(settings.Portal.Address.Equals(IPAddress.Any) ? null : settings.Portal, (ushort)settings.Portal.Port, 0, NameOf(zone), settings.ChapOf(initiator));

    public Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<SanZone>>([.. folder.Children(Iscsi).Where(t => t.StartsWith($"{settings.Authority}:", StringComparison.Ordinal)).Select(Describe)]);

    SanZone Describe(string target)
    {
        var group = Group(target);
        var luns = folder.Children($"{group}/lun").SelectMany(lun => folder.Children($"{group}/lun/{lun}").Where(e => folder.Exists($"{Cores}/{e}"))).Select(FileOf);
        return new(target[(settings.Authority.Length + 1)..], [.. folder.Children($"{group}/acls")], [.. luns]);
    }

    // "Status: ACTIVATED …\n        TCM FILEIO ID: 0        File: /srv/san/n1.img  Size: …"
    string FileOf(string core)
    {
        const string before = "File: ";
        var info = folder.Read($"{Cores}/{core}/info");
        var at = info.IndexOf(before, StringComparison.Ordinal);
        if (at < 0) return core;
        var end = info.IndexOf("  ", at, StringComparison.Ordinal);
        return info[(at + before.Length)..(end < 0 ? info.Length : end)].Trim();
    }

    public Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken)
    {
        var problem = SanNames.ProblemOf(zone.Name) ?? zone.Initiators.Select(IscsiName.ProblemOf).FirstOrDefault(p => p is not null) ?? zone.Storage.Select(settings.ProblemOf).FirstOrDefault(p => p is not null);
        if (problem is null && (zone.Initiators.IsEmpty || zone.Storage.IsEmpty)) problem = "a target has at least one initiator and one file to serve";
        return problem is not null ? Task.FromResult(SanOutcome.Refused(problem)) : InTurnAsync(() => Connect(zone), cancellationToken);
    }

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) =>
        SanNames.ProblemOf(zone) is { } problem ? Task.FromResult(SanOutcome.Refused(problem)) : InTurnAsync(() => Disconnect(zone), cancellationToken);

    SanOutcome Connect(SanZone zone)
    {
        var target = NameOf(zone.Name);
        var before = folder.Exists($"{Iscsi}/{target}") ? Describe(target) : null;
        if (zone.Equals(before) && folder.Read($"{Group(target)}/enable") == "1") return SanOutcome.Unchanged;
        // What it serves is changed while nobody can see it.
        if (before is not null && !before.Storage.SetEquals(zone.Storage)) Disconnect(zone.Name);
        var group = Group(target);
        if (!folder.Exists($"{Iscsi}/{target}")) Build(zone, group);
        foreach (var stranger in folder.Children($"{group}/acls").Except(zone.Initiators)) Evict(group, stranger);
        foreach (var initiator in zone.Initiators) Admit(group, initiator, zone.Storage.Count);
        folder.Write($"{group}/enable", "1");
        return Describe(target).Equals(zone) ? SanOutcome.Done : new(SanEnding.Damaged, $"{target} is not as it was written: {string.Join(", ", Describe(target).Initiators)}");
    }

    void Build(SanZone zone, string group)
    {
        var number = 0;
        folder.Make(group);
        folder.Write($"{group}/attrib/generate_node_acls", "0");
        folder.Write($"{group}/attrib/authentication", "1");
        folder.Write($"{group}/attrib/demo_mode_write_protect", "1");
        foreach (var file in zone.Storage)
        {
            var core = $"{Cores}/{zone.Name}.{number}";
            folder.Make(core);
            folder.Write($"{core}/control", $"fd_dev_name={file},fd_dev_size={settings.SizeOf(file).ToString(CultureInfo.InvariantCulture)}");
            folder.Write($"{core}/enable", "1");
            folder.Make($"{group}/lun/lun_{number}");
            folder.Link($"{group}/lun/lun_{number}/{zone.Name}.{number}", core);
            number++;
        }
        folder.Make($"{group}/np/{settings.Portal}");
    }

    void Admit(string group, string initiator, int luns)
    {
        var account = settings.ChapOf(initiator);
        var access = $"{group}/acls/{initiator}";
        if (!folder.Exists(access)) folder.Make(access);
        folder.Write($"{access}/auth/userid", account.User);
        folder.Write($"{access}/auth/password", account.Password);
        for (var i = 0; i < luns; i++)
        {
            if (folder.Exists($"{access}/lun_{i}")) continue;
            folder.Make($"{access}/lun_{i}");
            folder.Link($"{access}/lun_{i}/lun_{i}", $"{group}/lun/lun_{i}");
        }
    }

    void Evict(string group, string initiator)
    {
        var access = $"{group}/acls/{initiator}";
        foreach (var lun in folder.Children(access).Where(IsLun))
        {
            folder.Unlink($"{access}/{lun}/{lun}");
            folder.Remove($"{access}/{lun}");
        }
        folder.Remove(access);
    }

    // In the order in which the kernel lets go: sessions, those let in, LUNs, portals, the target, what was served.
    SanOutcome Disconnect(string zone)
    {
        var target = NameOf(zone);
        if (!folder.Exists($"{Iscsi}/{target}")) return SanOutcome.Unchanged;
        var group = Group(target);
        folder.Write($"{group}/enable", "0");
        foreach (var initiator in folder.Children($"{group}/acls")) Evict(group, initiator);
        foreach (var lun in folder.Children($"{group}/lun").Where(IsLun))
        {
            foreach (var link in folder.Children($"{group}/lun/{lun}").Where(e => folder.Exists($"{Cores}/{e}"))) folder.Unlink($"{group}/lun/{lun}/{link}");
            folder.Remove($"{group}/lun/{lun}");
        }
        foreach (var portal in folder.Children($"{group}/np")) folder.Remove($"{group}/np/{portal}");
        folder.Remove(group);
        folder.Remove($"{Iscsi}/{target}");
        foreach (var core in folder.Children(Cores).Where(c => c.StartsWith($"{zone}.", StringComparison.Ordinal))) folder.Remove($"{Cores}/{core}");
        return SanOutcome.Done;
    }

    async Task<SanOutcome> InTurnAsync(Func<SanOutcome> change, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return change();
        }
        finally
        {
            turn.Release();
        }
    }

    string NameOf(string zone) => $"{settings.Authority}:{zone}";

    static string Group(string target) => $"{Iscsi}/{target}/tpgt_1";

    static bool IsLun(string name) => name.StartsWith("lun_", StringComparison.Ordinal);
}
