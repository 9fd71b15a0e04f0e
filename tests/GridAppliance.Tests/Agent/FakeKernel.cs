using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Agent.Modules.Changes;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// A kernel with a few settings, modules of which one needs the other, and firewall tables. It outlives agents, and what programs have put into it outlives the programs: <see cref="LoadProgram"/> is
/// the nft that a module's view has, and tells this kernel of a table as the real one does the real kernel.
/// </summary>
sealed class FakeKernel : INodeKernel, IAsyncDisposable
{
    readonly Lock gate = new();
    readonly SortedDictionary<string, string> settings = new(StringComparer.Ordinal);
    readonly SortedDictionary<string, string> tables = new(StringComparer.Ordinal);
    readonly List<string> loaded = [];
    readonly TcpListener loads = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource life = new();
    readonly Task taking;

    public FakeKernel()
    {
        Restart();
        loads.Start();
        taking = TakeTablesAsync();
    }

    /// <summary>nft -f FILE: busybox alone, as the test's node has nothing else.</summary>
    public byte[] LoadProgram => Encoding.UTF8.GetBytes($"#!/bin/sh\n[ \"$1\" = -f ] && [ \"$(nc 127.0.0.1 {((IPEndPoint)loads.LocalEndpoint).Port} < \"$2\")\" = ok ]\n");

    public void Restart()
    {
        lock (gate)
        {
            (settings["net.core.somaxconn"], settings["net.ipv4.ip_forward"]) = ("128", "0");
            tables.Clear();
            loaded.Clear();
            loaded.Add("virtio_net");
        }
    }

    /// <summary>What uses a module, if something does.</summary>
    public Func<string, bool> IsUsed { get; set; } = _ => false;

    public string? ReadSysctl(string name) { lock (gate) return settings.GetValueOrDefault(name); }
    public void WriteSysctl(string name, string value) { lock (gate) settings[name] = value; }
    public bool IsLoaded(string module) { lock (gate) return loaded.Contains(module); }
    public IReadOnlyList<string> LoadOrder(string module) => module == "nf_tables" ? ["nfnetlink", "nf_tables"] : [module];
    public void Load(string module) { lock (gate) loaded.Add(module); }

    public bool TryUnload(string module, TimeSpan patience)
    {
        lock (gate)
        {
            // As the real one: a table keeps its module.
            if (IsUsed(module) || module == "nfnetlink" && loaded.Contains("nf_tables") || module == "nf_tables" && tables.Count > 0) return false;
            loaded.Remove(module);
            return true;
        }
    }

    public IReadOnlyList<string> FirewallModules() { lock (gate) return [.. loaded.Where(module => module.StartsWith("nf", StringComparison.Ordinal))]; }
    public bool HasTable(string table) { lock (gate) return tables.ContainsKey(table); }
    public void DeleteTable(string table) { lock (gate) tables.Remove(table); }

    /// <summary>What was loaded into a table; null where there is none.</summary>
    public string? RulesOf(string table) { lock (gate) return tables.GetValueOrDefault(table); }

    public override string ToString()
    {
        lock (gate) return $"{string.Join(' ', settings.Select(pair => $"{pair.Key[(pair.Key.LastIndexOf('.') + 1)..]} {pair.Value}"))} |{string.Concat(tables.Keys.Select(table => $" table {table}"))} {string.Join(' ', loaded)}";
    }

    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        await taking;
        loads.Dispose();
        life.Dispose();
    }

    async Task TakeTablesAsync()
    {
        try
        {
            while (true)
            {
                using var client = await loads.AcceptTcpClientAsync(life.Token);
                try
                {
                    using var reader = new StreamReader(client.GetStream());
                    var text = await reader.ReadToEndAsync(life.Token);
                    const string table = "table inet ";
                    var at = text.IndexOf(table, StringComparison.Ordinal);
                    if (at < 0) continue;
                    lock (gate) tables.Add(text[(at + table.Length)..].Split(' ')[0], text);
                    await client.GetStream().WriteAsync("ok\n"u8.ToArray(), life.Token);
                }
                catch (IOException) { /* whoever loaded it was ended in the middle */ }
            }
        }
        catch (OperationCanceledException) { /* the test is over */ }
    }
}
