using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Updates;

/// <summary>
/// The agent's own replacement. The running agent lets go of everything but the modules' programs, starts the new one beside itself and watches: only when the appliance has taken
/// the new one's report of this very order does the new file take the old one's place, by one rename, and whoever keeps the agent running (init) starts it from there. A new agent
/// that ends, hangs or cannot speak is ended after a minute, and the old one goes on. Each step is on disk first, so an agent that is killed in between is started by init, as the
/// old one or the new, and goes on watching or finishing where that file says.
/// </summary>
sealed class AgentUpdate(AgentPaths paths, string program, ModulePackages packages, string boot, TimeSpan patience, AgentConsole console, TimeProvider clock)
{
    /// <summary>Set, to the order's id, in the environment of an agent that is on trial.</summary>
    public const string TrialVariable = "GRID_AGENT_TRIAL";

    /// <summary>What a new agent has to report in.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    readonly string? trialOf = Environment.GetEnvironmentVariable(TrialVariable) is { Length: > 0 } order ? order : null;

    /// <summary>Whether this is the new agent, watched by the old one.</summary>
    public bool IsTrial => trialOf is not null;

    /// <summary>An agent before this one was in the middle of an update: it has to be brought to its end before anything else.</summary>
    public bool IsUnfinished => !IsTrial && Load() is { Failure: null };

    /// <summary>The first thing that an agent on trial does: says which process it is, for a watcher that has to look for it.</summary>
    public void BeginTrial() => NoteTrial(Environment.ProcessId);

    /// <summary>What is to be said to an order for another version; null when it is unpacked and to be tried now.</summary>
    public async Task<ModuleOutcome?> PrepareAsync(OrderDocument order, ModuleOrder wanted, CallSigner signer, CancellationToken cancellationToken)
    {
        if (IsTrial) return order.Id == trialOf ? ModuleOutcome.Done($"agent {AgentVersion.Text} runs") : ModuleOutcome.Refused("an update is under way");
        if (Load() is { } record && record.OrderId == order.Id && record.Failure is { } failure) return ModuleOutcome.Refused(failure);
        if (wanted.Version == AgentVersion.Text) return ModuleOutcome.Done($"agent {AgentVersion.Text} runs already");
        if (wanted.Name != ModuleManifest.Agent || !ModulePackages.IsAcceptable(wanted)) return ModuleOutcome.Refused("the order's name, version, digest or size is not acceptable");
        var folder = Path.Combine(paths.AgentUpdates, wanted.Digest);
        var (start, problem) = await FetchAsync(wanted, signer, folder, cancellationToken);
        if (start is null) return ModuleOutcome.Refused(problem!);
        Save(new() { OrderId = order.Id, Version = wanted.Version, Program = start, Deadline = Now + (long)patience.TotalMilliseconds, Boot = boot });
        return null;
    }

    /// <summary>The appliance has taken this new agent's report: the old one may go.</summary>
    public void Accept() => DurableFile.Write(paths.AgentAccepted, Encoding.ASCII.GetBytes(trialOf!));

    /// <summary>Tries the agent that was prepared, or goes on with a trial that an earlier run of this one began.</summary>
    /// <returns>Accepted: the new file is in place, and this process has to end. Failed: go on as before.</returns>
    public async Task<TrialEnd> TryAsync(CancellationToken cancellationToken)
    {
        if (Load() is not { Failure: null } record) return TrialEnd.Failed;
        var failure = await WatchAsync(record, cancellationToken);
        if (failure is null)
        {
            PutInPlace(record);
            return TrialEnd.Accepted;
        }
        console.Say($"{failure}; agent {AgentVersion.Text} goes on");
        Save(record with { Failure = $"{failure}; agent {AgentVersion.Text} is back" });
        Clear();
        return TrialEnd.Failed;
    }

    /// <summary>Null when the new agent was accepted and has ended; else what became of it.</summary>
    async Task<string?> WatchAsync(UpdateRecord record, CancellationToken cancellationToken)
    {
        if (IsAccepted(record)) return null;
        var (process, startTime) = FindTrial() ?? (0, 0);
        if (process == 0)
        {
            if (record.Boot != boot) return $"the machine was restarted while agent {record.Version} was on trial";
            try { (process, startTime) = Start(record); }
            catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception) { return $"agent {record.Version} could not be started: {e.Message}"; }
        }
        while (true)
        {
            var isAlive = ModuleLauncher.StartTimeOf(process) == startTime;
            if (IsAccepted(record))
            {
                // It ends by itself, so that no two of them speak for this node.
                if (isAlive && Now < record.Deadline + 5000) await Task.Delay(LookAgain, clock, cancellationToken);
                else { End(process, startTime); return null; }
            }
            else if (!isAlive) return $"agent {record.Version} ended before it had reported";
            else if (Now >= record.Deadline)
            {
                End(process, startTime);
                // In the last moment it may have been accepted after all.
                return IsAccepted(record) ? null : $"agent {record.Version} did not report within {patience.TotalSeconds:0} s";
            }
            else await Task.Delay(LookAgain, clock, cancellationToken);
        }
    }

    (int Process, long StartTime) Start(UpdateRecord record)
    {
        var start = new ProcessStartInfo(record.Program) { UseShellExecute = false };
        foreach (var argument in Environment.GetCommandLineArgs().Skip(1)) start.ArgumentList.Add(argument);
        start.Environment[TrialVariable] = record.OrderId;
        console.Say($"trying agent {record.Version}");
        using var process = Process.Start(start) ?? throw new IOException($"{record.Program} did not start");
        NoteTrial(process.Id);
        return (process.Id, ModuleLauncher.StartTimeOf(process.Id) ?? 0);
    }

    /// <summary>The rename is the moment: before it the old agent is started next, after it the new one.</summary>
    void PutInPlace(UpdateRecord record)
    {
        if (File.Exists(record.Program))
        {
            var beside = program + ".new";
            File.Copy(record.Program, beside, overwrite: true);
            File.SetUnixFileMode(beside, File.GetUnixFileMode(record.Program));
            using (var file = new FileStream(beside, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
            File.Move(beside, program, overwrite: true);
        }
        console.Say($"agent {record.Version} takes over");
        DurableFile.Delete(paths.AgentUpdate);
        Clear();
    }

    async Task<(string? Program, string? Problem)> FetchAsync(ModuleOrder wanted, CallSigner signer, string folder, CancellationToken cancellationToken)
    {
        if (Directory.Exists(paths.AgentUpdates)) Directory.Delete(paths.AgentUpdates, recursive: true);
        Directory.CreateDirectory(folder);
        var (manifest, problem) = await packages.FetchAsync(wanted, signer, folder, cancellationToken);
        if (manifest is null) return (null, problem);
        return manifest.IsAgent && manifest.Version == wanted.Version && manifest.Start is { Count: > 0 }
            ? (Path.Combine(ModulePackages.OwnIn(folder), manifest.Start[0]), null)
            : (null, $"the package is {manifest.Name} {manifest.Version}, not {ModuleManifest.Agent} {wanted.Version}");
    }

    (int Process, long StartTime)? FindTrial()
    {
        var parts = (DurableFile.Read(paths.AgentTrial) is { } note ? Encoding.ASCII.GetString(note) : "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var process) && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var startTime) ? (process, startTime) : null;
    }

    void NoteTrial(int process) =>
        DurableFile.Write(paths.AgentTrial, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{process} {ModuleLauncher.StartTimeOf(process) ?? 0}")));

    bool IsAccepted(UpdateRecord record) => DurableFile.Read(paths.AgentAccepted) is { } accepted && Encoding.ASCII.GetString(accepted) == record.OrderId;

    static void End(int process, long startTime)
    {
        if (ModuleLauncher.StartTimeOf(process) == startTime) Libc.Kill(process, Libc.SigKill);
    }

    void Clear()
    {
        DurableFile.Delete(paths.AgentTrial);
        DurableFile.Delete(paths.AgentAccepted);
        if (Directory.Exists(paths.AgentUpdates)) Directory.Delete(paths.AgentUpdates, recursive: true);
    }

    UpdateRecord? Load()
    {
        try { return DurableFile.Read(paths.AgentUpdate) is { } kept ? JsonSerializer.Deserialize(kept, ReadJson.Default.UpdateRecord) : null; }
        catch (JsonException) { return null; }
    }

    void Save(UpdateRecord record) => DurableFile.Write(paths.AgentUpdate, JsonSerializer.SerializeToUtf8Bytes(record, WrittenJson.Default.UpdateRecord));

    long Now => (long)(clock.GetTimestamp() / (double)clock.TimestampFrequency * 1000);
}
