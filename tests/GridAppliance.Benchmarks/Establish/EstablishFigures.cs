using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Benchmarks.Agents;

namespace GridAppliance.Benchmarks.Establish;

/// <summary>
/// Hundreds of machines established from a list with <c>gridctl</c>, as a person does it, by the programs that are shipped; one in twenty fails, each at another step. Wants root, some 30 MB of <c>/var/tmp</c> for each machine, and
/// a network of its own, as <see cref="AgentFigures"/> do.
/// </summary>
static class EstablishFigures
{
    public static async Task<int> RunAsync(string programs, string bootFiles, int count)
    {
        var folder = Directory.CreateDirectory($"/var/tmp/grid-establish-{Environment.ProcessId}").FullName;
        var disks = Directory.CreateDirectory(Path.Combine(folder, "disks")).FullName;
        // An overlay's upper half may not lie below its lower half, which is this machine's root.
        await MachineFarm.Run("truncate", "-s", $"{2 + count * 40L / 1024}G", disks + ".img");
        await MachineFarm.Run("mkfs.ext4", "-q", disks + ".img");
        await MachineFarm.Run("mount", "-o", "loop", disks + ".img", disks);
        try
        {
            var faults = Enumerable.Range(0, count).Select(i => i % 20 == 7 ? MachineFarm.Faults[i / 20 % MachineFarm.Faults.Length] : "").ToArray();
            var began = Stopwatch.GetTimestamp();
            await using var farm = await MachineFarm.StartAsync(disks, faults);
            Say($"{count} machines are there, {faults.Count(fault => fault != "")} of them with something wrong (after {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s)");
            await ConfigureAsync(folder, bootFiles);
            using var daemon = await AgentFigures.StartAsync(Path.Combine(programs, "gridappliance"), folder);
            var list = Path.Combine(folder, "machines.txt");
            await File.WriteAllLinesAsync(list, Enumerable.Range(0, count).Select(MachineFarm.AddressOf));

            await EstablishAsync("--plan");
            var results = await EstablishAsync("--apply");
            Say($"the daemon: {daemon.Cpu.TotalSeconds:0} s of processor time, {daemon.Resident} MB resident");
            var wrong = results.Select((machine, i) => (machine, fault: faults[i])).Where(one => one.machine.Action == "done" != (one.fault == "")).ToList();
            foreach (var (fault, of) in results.Select((machine, i) => (machine, fault: faults[i])).Where(one => one.fault != "").GroupBy(one => one.fault).Select(group => (group.Key, group.ToList())))
                Say($"  {of.Count} × {fault}: {of[0].machine.Host}: {of[0].machine.Message}");
            foreach (var (machine, fault) in wrong) Say($"  NOT AS IT SHOULD BE ({fault}): {machine.Host} {machine.Action}: {machine.Message}");
            return wrong.Count == 0 ? 0 : 1;

            async Task<IReadOnlyList<Api.Establish.MachinePlanDocument>> EstablishAsync(string how)
            {
                var from = Stopwatch.GetTimestamp();
                using var gridctl = Process.Start(new ProcessStartInfo(Path.Combine(programs, "gridctl"), ["--url", $"unix:{folder}/api.sock", "establish", "--hosts", list, "--user", "root", "--key", farm.KeyFile, how, "-o", "json"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                gridctl.BeginErrorReadLine();
                var text = await gridctl.StandardOutput.ReadToEndAsync();
                await gridctl.WaitForExitAsync();
                var machines = JsonSerializer.Deserialize(text, ApiJson.Default.EstablishDocument)!.Machines;
                Say($"establish {how}: {Stopwatch.GetElapsedTime(from).TotalSeconds:0.0} s, exit status {gridctl.ExitCode}; {string.Join(", ", machines.GroupBy(machine => machine.Action).Select(group => $"{group.Count()} {group.Key}"))}");
                return machines;
            }
        }
        finally
        {
            await MachineFarm.Run("umount", "-l", disks);
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task ConfigureAsync(string folder, string bootFiles) => await File.WriteAllTextAsync(Path.Combine(folder, "appliance.yaml"), $"""
        name: office
        dataDir: {Directory.CreateDirectory(Path.Combine(folder, "data")).FullName}
        bootFiles: {bootFiles}
        management:
          listen: [ "unix:{folder}/api.sock" ]
        networks:
          - {MachineFarm.Network}
        """);

    static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
