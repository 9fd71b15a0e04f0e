using GridAppliance.Api.Establish;
using GridAppliance.Boot.Http;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Establish;

/// <summary>What people ask for: to see what would be done with machines, or to have it done.</summary>
sealed class EstablishRequests(
    MachineSurveyor surveyor, HostKeyPins pins, SshFolder folder, LentCredentials lent, BootPlane plane, OperationRunner operations, ApplianceKey key, NodeDirectory nodes,
    ApplianceOptions options, TimeProvider time)
{
    /// <summary>Machines looked at side by side; each is mostly waited for.</summary>
    const int AtOnce = 32;

    public string? Defect(EstablishRequest request, out IReadOnlyList<MachineAddress> machines, out IReadOnlyList<MachineAddress> twice)
    {
        if (!MachineList.TryParse(request.Hosts, out machines, out twice, out var problem)) return problem;
        if (request.HostKeys is { Length: > 4 << 20 }) return "the file of host keys is larger than 4 MiB";
        if (plane.Addresses.Count == 0) return "no network of this appliance has boot: true, so no agent could call it";
        return CredentialsOf(request).Defect();
    }

    /// <exception cref="FormatException">The private key is unusable.</exception>
    public async Task<EstablishDocument> PlanAsync(EstablishRequest request, IReadOnlyList<MachineAddress> machines, CancellationToken cancellationToken)
    {
        var agent = await AgentFile.FindAsync(options, cancellationToken);
        await using var lease = await CredentialLease.OpenAsync(CredentialsOf(request), folder, cancellationToken);
        var plans = new MachinePlanDocument[machines.Count];
        await Parallel.ForAsync(0, machines.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var (machine, isKnown) = (machines[i], pins.IsPinned(machines[i]));
            var plan = agent is null ? Refusal(machine, $"the appliance has no agent to copy: {options.BootFiles} has no {AgentFile.Name} (make image)")
                : NotNamed(request, machine) ?? await PlanOneAsync(machine, lease, agent, token);
            plans[i] = plan with { HostKey = pins.Fingerprint(machine), HostKeyIsNew = !isKnown && pins.IsPinned(machine) };
        });
        return new() { Machines = SameMachines(plans) };
    }

    /// <exception cref="FormatException">The private key is unusable.</exception>
    public async Task<EstablishDocument> ApplyAsync(EstablishRequest request, IReadOnlyList<MachineAddress> machines, string actor, CancellationToken cancellationToken)
    {
        await using var lease = await CredentialLease.OpenAsync(CredentialsOf(request), folder, cancellationToken);
        var begun = new List<MachinePlanDocument>();
        foreach (var machine in machines)
        {
            if (NotNamed(request, machine) is { } refusal)
            {
                begun.Add(refusal);
                continue;
            }
            begun.Add(await operations.SubmitAsync(EstablishMachine.For(machine, request.User, actor), cancellationToken) switch
            {
                Submission.Accepted accepted => await LendAsync(machine, accepted, lease),
                Submission.Refused refused => Refusal(machine, refused.Reason),
                var other => throw new InvalidOperationException($"a submission of no known kind: {other}"),
            });
        }
        return new() { Machines = begun };
    }

    async Task<MachinePlanDocument> LendAsync(MachineAddress machine, Submission.Accepted accepted, CredentialLease lease)
    {
        // Of one that is under way already too: it may be waiting for just this.
        await lent.LendAsync(accepted.Operation.Id, lease);
        operations.Poke(accepted.Operation.Id);
        return new() { Host = machine.ToString(), Action = "start", Message = accepted.IsNew ? "has begun" : "goes on", OperationId = accepted.Operation.Id.ToString() };
    }

    async Task<MachinePlanDocument> PlanOneAsync(MachineAddress machine, CredentialLease lease, AgentFile agent, CancellationToken cancellationToken)
    {
        switch (await surveyor.LookAsync(machine, lease, agent, cancellationToken))
        {
            case SurveyAnswer.Obstructed obstructed: return Described(Refusal(machine, obstructed.Reason), obstructed.Survey);
            case SurveyAnswer.Seen { Survey: var survey }:
                return Described(EstablishPlan.For(survey, agent, key.Fingerprint, nodes.Current, time.GetUtcNow()) switch
                {
                    EstablishPlan.Install install => new() { Host = machine.ToString(), Action = "install", Message = install.Message },
                    EstablishPlan.Nothing nothing => new() { Host = machine.ToString(), Action = "nothing", Message = nothing.Message, Node = nothing.Node.Name },
                    EstablishPlan.Refuse refuse => Refusal(machine, refuse.Message),
                    var other => throw new InvalidOperationException($"a plan of no known kind: {other}"),
                }, survey);
            default: throw new InvalidOperationException("a survey of no known kind");
        }
    }

    static MachinePlanDocument Described(MachinePlanDocument plan, MachineSurvey? survey) => plan with
    {
        System = survey?.System,
        Rights = survey?.Rights switch { RemoteRights.Root => "root", RemoteRights.FreeSudo => "sudo", RemoteRights.Sudo => "sudo with a password", RemoteRights.Account or null => null },
        MachineId = survey?.MachineId,
    };

    /// <summary>Two addresses of one machine: the first one counts.</summary>
    static IReadOnlyList<MachinePlanDocument> SameMachines(IReadOnlyList<MachinePlanDocument> plans)
    {
        var first = plans.Where(static plan => plan is { Action: "install", MachineId: not null }).DistinctBy(static plan => plan.MachineId).ToDictionary(static plan => plan.MachineId!, static plan => plan.Host);
        return [.. plans.Select(plan => plan is { Action: "install", MachineId: { } id } && first[id] != plan.Host ? plan with { Action = "refuse", Message = $"it is the same machine as {first[id]}" } : plan)];
    }

    MachinePlanDocument? NotNamed(EstablishRequest request, MachineAddress machine) =>
        request.HostKeys is { } known && !pins.TryPin(machine, known) ? Refusal(machine, "the file of host keys does not name it") : null;

    static MachinePlanDocument Refusal(MachineAddress machine, string reason) => new() { Host = machine.ToString(), Action = "refuse", Message = reason };

    static Credentials CredentialsOf(EstablishRequest request) =>
        new() { User = request.User, Password = request.Password, PrivateKey = request.PrivateKey, SudoPassword = request.SudoPassword };
}
