using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Agent;

/// <summary>This node's standing with the appliance: who it is there, and the key that may order it about.</summary>
sealed record Enrolment(EnrollResponse Response, ECDsa ApplianceKey) : IDisposable
{
    public void Dispose() => ApplianceKey.Dispose();
}

/// <summary>Gets the node enrolled, however long that takes, and remembers it over a restart of the agent.</summary>
sealed class Enroller(BootParameters boot, AgentPaths paths, AgentKey key, ApplianceCalls calls, AgentConsole console, Random random, TimeProvider clock)
{
    /// <summary>What an earlier run of the agent left, if it is whole and for the appliance that booted this node.</summary>
    public Enrolment? Restore()
    {
        try
        {
            var kept = DurableFile.Read(paths.Enrolment);
            return kept is null ? null : Accept(JsonSerializer.Deserialize(kept, ReadJson.Default.EnrollResponse), out _);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Enrols. Null when the appliance refuses the token and this boot can do no more about it (<c>grid.lost=reboot</c>).</summary>
    public async Task<Enrolment?> EnrolAsync(Func<InventoryDocument> inventory, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(random);
        while (true)
        {
            if (boot.Token is not { } token) console.Say("there is no grid.token= on the kernel command line: only another boot can bring one");
            else if (await TryAsync(token, inventory, cancellationToken) is { } enrolment) return enrolment;
            if (refused && boot.RebootWhenUnknown) return null;
            await Task.Delay(backoff.Next(), clock, cancellationToken);
        }
    }

    bool refused;

    async Task<Enrolment?> TryAsync(string token, Func<InventoryDocument> inventory, CancellationToken cancellationToken)
    {
        var answer = await calls.EnrollAsync(new EnrollRequest
        {
            Token = token,
            PublicKey = Convert.ToBase64String(key.PublicKey),
            Proof = key.Prove(token),
            AgentVersion = AgentVersion.Text,
            Inventory = inventory(),
            Image = Line(paths.Image) ?? (paths.IsInstalled ? null : "tiny"),
            BootProblem = Line(paths.BootProblem),
            TriesModules = true,
        }, cancellationToken);
        refused = answer.Status is 401 or 403 or 410;
        if (!answer.Succeeded)
        {
            console.Say(answer.Arrived ? $"the appliance refuses: {answer.Problem}" : $"no answer from {boot.Appliance}: {answer.Problem}");
            return null;
        }
        var enrolment = Accept(Read(answer.Body), out var problem);
        if (enrolment is null) console.Say($"the appliance's answer is not to be trusted: {problem}");
        else DurableFile.Write(paths.Enrolment, JsonSerializer.SerializeToUtf8Bytes(enrolment.Response, WrittenJson.Default.EnrollResponse));
        return enrolment;
    }

    static string? Line(string path) => DurableFile.Read(path) is { } content ? System.Text.Encoding.ASCII.GetString(content).Trim() : null;

    static EnrollResponse? Read(byte[] body)
    {
        try { return JsonSerializer.Deserialize(body, ReadJson.Default.EnrollResponse); }
        catch (JsonException) { return null; }
    }

    /// <summary>The fingerprint came with the boot; whoever answers must hold the key that it names.</summary>
    Enrolment? Accept(EnrollResponse? response, out string? problem)
    {
        problem = "it cannot be read";
        if (response is null) return null;
        var info = new byte[512];
        if (!Convert.TryFromBase64String(response.ApplianceKey, info, out var length)) return null;
        problem = "its key is not the one that the boot script named";
        if (AgentSignature.Fingerprint(info.AsSpan(0, length)) != boot.ApplianceFingerprint) return null;
        var applianceKey = AgentSignature.TryImportPublicKey(info.AsSpan(0, length));
        return applianceKey is null ? null : new Enrolment(response, applianceKey);
    }
}
