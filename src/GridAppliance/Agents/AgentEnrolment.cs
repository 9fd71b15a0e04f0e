using System.Collections.Immutable;
using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;

namespace GridAppliance.Agents;

/// <summary>
/// An agent's first call: a boot attempt's token becomes a key of the node's own. What the token was issued for (the NIC that booted) says which node it is; what the agent
/// claims beside it does not. The same token with the same key gets the same answer again.
/// </summary>
sealed class AgentEnrolment(BootAttempts attempts, AgentSessions sessions, NodeDirectory nodes, ModuleMirror mirror, Timeline timeline, ApplianceOptions options, ApplianceKey applianceKey, TimeProvider time)
{
    const int LongestToken = 128;
    const int LongestKey = 512;

    /// <param name="request">As the agent sent it.</param>
    /// <param name="who">Where from.</param>
    /// <param name="arrived">Timestamp of the request's arrival, for the appliance's share of the boot.</param>
    /// <param name="cancellationToken">The agent hung up.</param>
    public async Task<EnrolmentAnswer> EnrolAsync(EnrollRequest request, BootRequester who, long arrived, CancellationToken cancellationToken)
    {
        if (request.Token.Length > LongestToken || KeyOf(request) is not { } publicKey) return await RefuseAsync(who, "its key or its proof is not what it should be");
        var (attempt, refusal) = await attempts.SpendAsync(request.Token, publicKey.AsMemory(), who, cancellationToken);
        if (attempt is null) return await RefuseAsync(who, Say(refusal));

        var node = nodes.Current.Find(attempt.Mac)
            ?? await nodes.DiscoverAsync(attempt.Mac, attempt.Network, fresh => fresh, $"the agent behind NIC {attempt.Mac} called", cancellationToken);
        var lost = node.Modules;
        var isRepeated = node.AgentKey.AsSpan().SequenceEqual(publicKey.AsSpan());
        if (!isRepeated)
        {
            if (sessions.EnrolledWith(node.Id) is { } newer && newer > attempt.Issued) return await RefuseAsync(who, "its token is from an earlier boot than the one that enrolled last");
            if (TwinOf(node, request.Inventory) is { } twin) return await RefuseAsync(who, twin);
            if (await AdmitAsync(node, attempt, publicKey, request, cancellationToken) is not { } admitted)
                return await RefuseAsync(who, $"{node.Name} is {node.State.ToString().ToLowerInvariant()}; revive it first");
            node = admitted;
        }
        // Also for a repeated call: the first one may have died before this. A new key is a new boot.
        if (sessions.IsNew(node.Id, publicKey)) await mirror.LoseAsync(node.Id, cancellationToken);
        await sessions.BeginAsync(node.Id, publicKey, attempt.Issued, cancellationToken);
        if (!isRepeated) await TellAsync(node, attempt, request.BootProblem, lost, arrived, cancellationToken);
        return new EnrolmentAnswer.Enrolled(new()
        {
            NodeId = node.Id.ToString(),
            Node = node.Name,
            ApplianceKey = Convert.ToBase64String(applianceKey.PublicKey),
            HeartbeatSeconds = AgentPolicy.HeartbeatSeconds(nodes.Current.ById.Count),
        });
    }

    /// <summary>
    /// What tells that this is another machine with the NIC address of one whose agent still calls; null where nothing does. A node that boots again has the same board, and one whose board was
    /// changed has been silent meanwhile.
    /// </summary>
    string? TwinOf(Node node, InventoryDocument inventory)
    {
        if (node.AgentKey.IsEmpty || node.Inventory is not { } known || node.AgentLastSeen is not { } seen || time.GetUtcNow() - seen > AgentPolicy.SilentAfter(nodes.Current.ById.Count)) return null;
        var (what, ours, theirs) = Differs(known.Uuid, inventory.Uuid) ? ("UUID", known.Uuid, inventory.Uuid) : Differs(known.Serial, inventory.Serial) ? ("serial number", known.Serial, inventory.Serial) : default;
        return what is null ? null : $"{node.Name} is alive and has the {what} {ours}, this machine has {theirs}: two machines have the NIC address {node.BootMac}";
    }

    static bool Differs(string? one, string? other) => one is { Length: > 0 } && other is { Length: > 0 } && !one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Moves the node along its life, with the new key, by policy; null when its state has no room for an agent.</summary>
    async Task<Node?> AdmitAsync(Node node, BootAttempt attempt, ImmutableArray<byte> publicKey, EnrollRequest request, CancellationToken cancellationToken)
    {
        Node WithAgent(Node latest)
        {
            var merge = InventoryMerge.Of(nodes.Current, latest with { ImageProblem = request.BootProblem is { } refused ? $"its root image was refused: {refused}" : null, ModuleProblem = null }, request.Inventory);
            return merge.Node with
            {
                AgentKey = publicKey,
                AgentVersion = request.AgentVersion,
                Network = attempt.Network,
                Problem = merge.Problem,
                Image = request.Image,
                TriesModules = request.TriesModules,
                // It starts from a fresh image: what ran before the reboot does not.
                Modules = [],
            };
        }
        if (MustWait(node))
        {
            if (node.State == NodeState.Failed) await nodes.ApplyAsync(node.Id, NodeEvent.Retry, $"{node.Name} booted again", "node", null, cancellationToken);
            return await nodes.ApplyAsync(node.Id, NodeEvent.Hold, $"{node.Name} waits for approval (policy.enroll is approve): gridctl discover approve {node.Name}", "appliance", WithAgent, cancellationToken);
        }
        return await nodes.ApplyAsync(node.Id, NodeEvent.AgentEnrolled, $"{node.Name} is enrolling: its agent {request.AgentVersion} called", "node", WithAgent, cancellationToken);
    }

    /// <summary>Policy asks a person about newcomers only: a node that has been let in once stays in.</summary>
    bool MustWait(Node node) => options.Enroll switch
    {
        EnrollPolicy.Auto => false,
        EnrollPolicy.Approve => !node.Approved && node.State is NodeState.Discovered or NodeState.Failed,
    };

    async Task TellAsync(Node node, BootAttempt attempt, string? bootProblem, ImmutableArray<InstalledModuleDocument> lost, long arrived, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var recalled = node.Boot ?? Recall(node, attempt);
        var service = time.GetElapsedTime(arrived);
        nodes.Touch(node.Id, latest => latest with
        {
            AgentLastSeen = now,
            Ip = attempt.Ip,
            Boot = (latest.Boot ?? recalled) is { Finished: null } boot
                ? boot with { Milestone = BootMilestone.Agent, LastActivity = now, Appliance = boot.Appliance + service, Finished = latest.State is NodeState.Held or NodeState.Assigning or NodeState.Active or NodeState.Releasing ? now : null }
                : latest.Boot,
        });
        node = nodes.Current.Find(node.Id) ?? node;
        var events = new List<NewEvent>
        {
            NewEvent.About(node, "agent.enrolled", $"its agent {node.AgentVersion} enrolled with a key of its own") with { Actor = "node", Appliance = service, BootStarted = recalled.Started },
        };
        events.AddRange(lost.Select(module => NewEvent.About(node, "module.gone", $"module {module.Name} {module.Version} went with the memory of the boot before")));
        if (bootProblem is not null) events.Add(NewEvent.About(node, "boot.root-refused", $"refused its root image, and runs the tiny image: {bootProblem}", EventSeverity.Error) with { Actor = "node" });
        else if (node.Problem is { } problem) events.Add(NewEvent.About(node, "agent.claims-nic", problem, EventSeverity.Warning));
        if (node.Uuid is { } uuid && nodes.Current.Nodes.FirstOrDefault(other => other.Uuid == uuid && other.Id != node.Id) is { } twin)
            events.Add(NewEvent.About(node, "node.uuid-shared", $"has the same SMBIOS UUID as {twin.Name}: boards of one series do that, so it is not taken for its identity", EventSeverity.Warning));
        await timeline.AppendAsync(events, cancellationToken);
    }

    /// <summary>The boot's progress after a restart of ours forgot it: from its events, or else from the attempt.</summary>
    BootProgress Recall(Node node, BootAttempt attempt)
    {
        var summary = BootSummary.Of(timeline.ReadNode(node.Id, 200));
        // A boot whose events end in "idle", or long before the script, was an earlier one.
        var started = summary is { Started: { } began, Seconds: null } && attempt.Issued - began < TimeSpan.FromMinutes(10) ? began : attempt.Issued;
        return new()
        {
            Started = started, LastActivity = time.GetUtcNow(), Milestone = BootMilestone.Agent,
            Appliance = started == attempt.Issued ? TimeSpan.Zero : TimeSpan.FromMilliseconds(summary.ApplianceMs),
        };
    }

    async Task<EnrolmentAnswer> RefuseAsync(BootRequester who, string reason)
    {
        // A NIC that nobody knows has no timeline; whoever knocks there leaves no trace but the answer.
        if (who.Mac is { } mac && nodes.Current.Find(mac) is { } node)
            await timeline.AppendAsync(NewEvent.About(node, "agent.refused", $"an agent at {who.Address} was refused: {reason}", EventSeverity.Warning), CancellationToken.None);
        return new EnrolmentAnswer.Refused(reason);
    }

    /// <summary>The key, once the proof shows that the caller has its other half.</summary>
    static ImmutableArray<byte>? KeyOf(EnrollRequest request)
    {
        var bytes = new byte[LongestKey];
        if (!Convert.TryFromBase64String(request.PublicKey, bytes, out var length)) return null;
        using var key = AgentSignature.TryImportPublicKey(bytes.AsSpan(0, length));
        var proof = new byte[AgentSignature.SignatureLength];
        if (key is null || !Convert.TryFromBase64String(request.Proof, proof, out var proofLength) || proofLength != proof.Length) return null;
        return key.VerifyData(AgentSignature.ProofText(request.Token), proof, HashAlgorithmName.SHA256) ? [.. bytes[..length]] : null;
    }

    static string Say(AttemptRefusal refusal) => refusal switch
    {
        AttemptRefusal.Unknown => "its token is not known here",
        AttemptRefusal.Expired => "its token is too old",
        AttemptRefusal.OtherClient => "its token was issued to another machine",
        AttemptRefusal.Spent => "its token was spent by another key",
        AttemptRefusal.None => throw new ArgumentOutOfRangeException(nameof(refusal), "a spent token is no refusal"),
    };
}

abstract record EnrolmentAnswer
{
    EnrolmentAnswer() { }

    public sealed record Enrolled(EnrollResponse Response) : EnrolmentAnswer;

    public sealed record Refused(string Reason) : EnrolmentAnswer;
}
