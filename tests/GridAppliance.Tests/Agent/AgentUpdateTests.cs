using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// Real agent processes that replace themselves, kept running by something that does what init does. The other version is this one's own file with another number in it.
/// </summary>
public sealed class AgentUpdateTests : IAsyncLifetime
{
    const string Old = "0.1.0", New = "0.1.9";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;
    Init init = null!;

    public async Task InitializeAsync()
    {
        NodeRoot.Make(folder.Path);
        appliance = await ScriptedAppliance.StartAsync();
        Write("proc/cmdline", $"grid.url=http://{appliance.EndPoint} grid.key={appliance.Fingerprint} grid.token=token-1\n");
        Write("proc/sys/kernel/random/boot_id", "boot-1\n");
        Write("bin/grid-run", File.ReadAllText(AgentUnderTest.Launcher), executable: true);
        Write("bin/grid-agent", Script(AppContext.BaseDirectory), executable: true);
        init = new(folder.Path);
    }

    public async Task DisposeAsync()
    {
        await init.DisposeAsync();
        foreach (var module in Directory.Exists(Notes) ? Directory.GetFiles(Notes) : []) Kill(-int.Parse(File.ReadAllText(module).Split(' ')[0]));
        await appliance.DisposeAsync();
        folder.Dispose();
    }

    string Notes => Path.Combine(folder.Path, "run/grid-agent/modules");

    [Fact]
    public async Task A_good_one_takes_over_and_running_modules_do_not_notice()
    {
        await VersionAsync(Old);
        var module = await InstallAsync();
        var result = await UpdateAsync(Script(NewVersion()));
        Assert.True(result.Succeeded, $"{result.Message}\n{init.Said}");
        Assert.Equal($"agent {New} runs", result.Message);
        await init.StartsAsync(2);
        await VersionAsync(New);
        Assert.True(NodeFingerprint.Runs(module), "the module's program did not live through it");
        Assert.Equal("running", (await HeartbeatAsync(New, heartbeat => heartbeat.Modules.Count == 1 && heartbeat.Modules[0].State == "running")).Modules[0].State);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "var/lib/grid/agent")), "what was unpacked is left");
    }

    [Theory]
    [InlineData("#!/bin/sh\nexit 7\n", "ended before it had reported")]
    [InlineData("#!/bin/sh\nkill -SEGV $$\n", "ended before it had reported")]
    [InlineData("#!/bin/sh\nexec sleep 600\n", "did not report within 3 s")]
    [InlineData("this is no program\n", "could not be started")]
    public async Task One_that_cannot_is_taken_back_by_the_agent_itself(string program, string why)
    {
        await VersionAsync(Old);
        var module = await InstallAsync();
        var result = await UpdateAsync(program);
        Assert.False(result.Succeeded);
        Assert.Contains(why, result.Message);
        Assert.EndsWith($"agent {Old} is back", result.Message);
        await VersionAsync(Old);
        Assert.True(NodeFingerprint.Runs(module), "the module's program did not live through it");
        Assert.Equal(1, init.Starts);
    }

    [Fact]
    public async Task The_watching_agent_is_killed_and_its_successor_goes_on_watching()
    {
        await VersionAsync(Old);
        var updating = UpdateAsync("#!/bin/sh\nexec sleep 600\n");
        var trial = await TrialAsync();
        Kill(init.Current);
        var result = await updating;
        Assert.Contains("did not report within 3 s", result.Message);
        Assert.Equal(2, init.Starts);
        Assert.False(NodeFingerprint.Runs(trial), "the one on trial was left running");
        await VersionAsync(Old);
    }

    [Fact]
    public async Task The_watching_agent_is_killed_beside_a_good_one_which_takes_over_all_the_same()
    {
        await VersionAsync(Old);
        var updating = UpdateAsync(Script(NewVersion()));
        await TrialAsync();
        Kill(init.Current);
        Assert.True((await updating).Succeeded);
        await VersionAsync(New);
    }

    [Fact]
    public async Task The_new_one_is_killed_before_it_has_reported_and_the_old_one_is_back()
    {
        appliance.ResultsToRefuse = int.MaxValue;
        await VersionAsync(Old);
        var updating = UpdateAsync(Script(NewVersion()));
        var trial = await TrialAsync();
        await HeartbeatAsync(New, _ => true);
        Kill(trial);
        appliance.ResultsToRefuse = 0;
        var result = await updating;
        Assert.False(result.Succeeded, result.Message);
        Assert.Contains("ended before it had reported", result.Message);
        await VersionAsync(Old);
    }

    async Task<OrderResult> UpdateAsync(string program)
    {
        var package = ModulePackageWriter.Write(new ModuleManifest { Name = ModuleManifest.Agent, Class = ModuleManifest.Agent, Version = New, Start = ["grid-agent"] },
            [new ModuleFile("grid-agent", Encoding.UTF8.GetBytes(program), Executable: true)], appliance.Key);
        appliance.Send(new()
        {
            Id = "update", NodeId = "node-1", Kind = "agent.update", Module = new() { Name = ModuleManifest.Agent, Version = New, Digest = appliance.Publish(package), SizeBytes = package.Length },
        });
        return (await Next(appliance.Results)).Result;
    }

    /// <returns>The process of a module that only stays.</returns>
    async Task<int> InstallAsync()
    {
        var package = ModulePackageWriter.Write(new ModuleManifest { Name = "stays", Class = "stayer", Version = "1.0", Start = ["run"] },
            [new ModuleFile("run", "#!/bin/sh\nexec sleep 1000\n"u8.ToArray(), Executable: true)], appliance.Key);
        appliance.Send(new() { Id = "install", NodeId = "node-1", Kind = "module.install", Module = new() { Name = "stays", Version = "1.0", Digest = appliance.Publish(package), SizeBytes = package.Length } });
        var result = (await Next(appliance.Results)).Result;
        Assert.True(result.Succeeded, result.Message);
        return int.Parse(File.ReadAllText(Path.Combine(Notes, "stays")).Split(' ')[0]);
    }

    Task VersionAsync(string version) => HeartbeatAsync(version, _ => true);

    async Task<HeartbeatRequest> HeartbeatAsync(string version, Func<HeartbeatRequest, bool> holds)
    {
        while (true)
            if (await Next(appliance.Heartbeats) is var heartbeat && heartbeat.AgentVersion == version && holds(heartbeat)) return heartbeat;
    }

    /// <summary>Waits until the new agent is noted down as one on trial.</summary>
    async Task<int> TrialAsync()
    {
        var note = Path.Combine(folder.Path, "run/grid-agent/update.trial");
        for (var look = 0; look < 600; look++)
        {
            if (File.Exists(note) && int.TryParse(File.ReadAllText(note).Split(' ')[0], out var process)) return process;
            await Task.Delay(100);
        }
        throw new TimeoutException($"no agent came on trial\n{init.Said}");
    }

    async Task<T> Next<T>(Channel<T> channel)
    {
        try { return await channel.Reader.ReadAsync().AsTask().WaitAsync(Patience); }
        catch (TimeoutException e) { throw new TimeoutException($"nothing came of the agent\n{init.Said}", e); }
    }

    /// <summary>A folder with the agent as it is here, but for its version.</summary>
    string NewVersion()
    {
        var other = Directory.CreateDirectory(Path.Combine(folder.Path, "other")).FullName;
        foreach (var name in (string[])["grid-agent.dll", "grid-agent.runtimeconfig.json", "grid-agent.deps.json", "GridAppliance.Api.dll", "GridAppliance.Protocols.dll"])
            File.Copy(Path.Combine(AppContext.BaseDirectory, name), Path.Combine(other, name));
        var path = Path.Combine(other, "grid-agent.dll");
        var bytes = File.ReadAllBytes(path);
        var patched = 0;
        for (var at = 0; (at = Next(bytes, Encoding.UTF8.GetBytes(Old + "+"), at)) >= 0; at++, patched++) Encoding.UTF8.GetBytes(New).CopyTo(bytes, at);
        Assert.Equal(1, patched);
        File.WriteAllBytes(path, bytes);
        return other;

        static int Next(byte[] all, byte[] wanted, int from) => all.AsSpan(from).IndexOf(wanted) is >= 0 and var at ? from + at : -1;
    }

    static string Script(string program) => $"#!/bin/sh\nexec {Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"))} exec {Path.Combine(program, "grid-agent.dll")} \"$@\"\n";

    void Write(string path, string content, bool executable = false)
    {
        var file = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        if (executable) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }


    static void Kill(int process) => GridAppliance.Agent.Native.Libc.Kill(process, GridAppliance.Agent.Native.Libc.SigKill);

    /// <summary>Starts the agent again whenever it ends, from the file that is in place then.</summary>
    sealed class Init : IAsyncDisposable
    {
        readonly CancellationTokenSource life = new();
        readonly StringBuilder said = new();
        readonly string root;
        readonly Task running;
        volatile Process? current;

        public Init(string root)
        {
            this.root = root;
            running = RunAsync();
        }

        public int Starts;

        public int Current => current!.Id;

        public string Said { get { lock (said) return said.ToString(); } }

        public async Task StartsAsync(int times)
        {
            for (var look = 0; Volatile.Read(ref Starts) < times; look++)
            {
                if (look == 600) throw new TimeoutException($"the agent did not start a {times}. time\n{Said}");
                await Task.Delay(100);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await life.CancelAsync();
            await running;
            // One that was on trial when its watcher died is nobody's child.
            var note = Path.Combine(root, "run/grid-agent/update.trial");
            if (File.Exists(note) && int.TryParse(File.ReadAllText(note).Split(' ')[0], out var trial)) Kill(trial);
            life.Dispose();
        }

        async Task RunAsync()
        {
            while (!life.IsCancellationRequested)
            {
                var start = new ProcessStartInfo(Path.Combine(root, "bin/grid-agent")) { RedirectStandardOutput = true, RedirectStandardError = true };
                foreach (var argument in (string[])["--root", root, "--patience", "3"]) start.ArgumentList.Add(argument);
                using var process = Process.Start(start)!;
                process.OutputDataReceived += Hear;
                process.ErrorDataReceived += Hear;
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
                current = process;
                Interlocked.Increment(ref Starts);
                // Not WaitForExitAsync: that waits for the pipe too, which the one on trial holds.
                while (!process.HasExited && !life.IsCancellationRequested) await Task.Delay(50);
                if (!process.HasExited) process.Kill();
            }
        }

        void Hear(object sender, DataReceivedEventArgs line) { lock (said) said.AppendLine(line.Data); }
    }
}
