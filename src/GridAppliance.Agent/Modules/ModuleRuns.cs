using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// Runs a program of an installed module's package in the module's own view, with files and secrets that the order brings: how a module is told of the world after it was installed, and asked.
/// Whatever it writes is the module's, and goes with it.
/// </summary>
sealed class ModuleRuns(ModuleStore store, ModuleLauncher launcher, ModuleView views, ApplianceCalls calls, TimeProvider clock)
{
    /// <summary>Below the package's folder.</summary>
    public const string Folder = "config";

    const int MostFiles = 32, LargestFile = 1 << 20, MostOutput = 256 << 10, LongestRun = 600;

    static readonly SearchValues<char> WordCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public async Task<OrderResult> RunAsync(string orderId, RunOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        if (store.Find(order.Module) is not { } record) return Failed($"{order.Module} is not installed");
        if (order.Command is not [{ } program, ..] || record.Manifest.Programs?.Contains(program) is not true) return Failed($"{record.Name} has no such program");
        if (order.Seconds is < 1 or > LongestRun) return Failed("the order's time is not acceptable");
        if (order.Files is { } files && (files.Count > MostFiles || files.Any(file => !IsWord(file.Key) || file.Value.Length > LargestFile)) || !order.Secrets.All(IsWord)) return Failed("the order's files are not acceptable");
        var view = views.Of(record);
        if (!MountTable.IsMounted(view)) return Failed($"{record.Name}'s view is not there");

        var folder = ViewPath.ResolveWhole(view, $"{ModuleManifest.FolderOf(record.Name)}/{Folder}");
        Directory.CreateDirectory(folder);
        foreach (var (name, content) in order.Files ?? new Dictionary<string, string>()) DurableFile.Write(ViewPath.Resolve(folder, name), Encoding.UTF8.GetBytes(content));
        foreach (var name in order.Secrets)
            if (await FetchAsync(orderId, name, ViewPath.Resolve(folder, name), signer, cancellationToken) is { } problem) return Failed(problem);

        var log = store.LogFile(record.Name) + ".run";
        try
        {
            File.Delete(log);
            var trouble = await launcher.RunAsync(record, order.Command, log, TimeSpan.FromSeconds(order.Seconds), clock, cancellationToken);
            return new() { Succeeded = trouble.IsNone, Message = trouble.Reason, Output = Output(log) };
        }
        finally
        {
            File.Delete(log);
        }
    }

    async Task<string?> FetchAsync(string orderId, string name, string to, CallSigner signer, CancellationToken cancellationToken)
    {
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var answer = await calls.SecretAsync(signer, new() { OrderId = orderId, Name = name, SealTo = Convert.ToBase64String(own.ExportSubjectPublicKeyInfo()) }, cancellationToken);
        if (!answer.Succeeded) return $"the secret {name} could not be fetched: {answer.Problem}";
        if (Read(answer.Body) is not { } box || SealedHandover.Open(own, box.Key, box.Box, orderId, signer.NodeId) is not { } secret) return $"the secret {name} is not sealed to this node";
        DurableFile.Write(to, secret);
        CryptographicOperations.ZeroMemory(secret);
        return null;
    }

    static SecretAnswer? Read(byte[] body)
    {
        try { return JsonSerializer.Deserialize(body, ReadJson.Default.SecretAnswer) is { Key: not null, Box: not null } answer ? answer : null; }
        catch (JsonException) { return null; }
    }

    static string Output(string log)
    {
        if (!File.Exists(log)) return "";
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[(int)Math.Min(file.Length, MostOutput)];
        file.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    static OrderResult Failed(string message) => new() { Succeeded = false, Message = message };

    /// <summary>One plain name: no path, nothing that a shell would read.</summary>
    static bool IsWord(string? text) => text is { Length: > 0 and <= 64 } && text[0] != '.' && text[0] != '-' && !text.AsSpan().ContainsAnyExcept(WordCharacters);
}
