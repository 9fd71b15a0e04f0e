using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Api.Establish;
using GridAppliance.Boot;
using GridAppliance.Establish;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Operations;

/// <summary>
/// A machine that has an operating system becomes a node: look, copy the agent, make it a service, see it come to idle. Every step looks at the machine before it acts, so that a
/// daemon that was killed goes on where it was; but it has no credentials then, and waits until somebody gives them again. What a failure leaves half done is taken away.
/// </summary>
sealed class EstablishMachine(
    MachineSurveyor surveyor, IMachineDoor door, LentCredentials lent, BootAttempts attempts, ApplianceKey key, NodeDirectory nodes, ApplianceOptions options, TimeProvider time) : IOperationKind
{
    public const string KindName = "establish";

    /// <summary>A machine that cannot be reached is tried again this long, then it has failed.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    /// <summary>From the service's start to idle.</summary>
    static readonly TimeSpan EnrolLimit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(3);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan NoHurry = TimeSpan.FromHours(1);

    /// <summary>Machines that are worked on over SSH, which takes seconds: half of what acts at one moment, so that what comes of it, their agents' enrolments, need not wait for hundreds of machines to have had their turn.</summary>
    readonly SemaphoreSlim working = new(OperationRunner.AtOnce / 2);

    public string Name => KindName;

    public static NewOperation For(MachineAddress machine, string user, string actor) =>
        new(KindName, JsonSerializer.Serialize(new(machine.Host, machine.Port, user), EstablishMachineJson.Default.EstablishMachineInput))
        {
            Subject = machine.ToString(), Key = $"{KindName}:{machine}", StartedBy = actor,
        };

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, EstablishMachineJson.Default.EstablishMachineInput)!;
        var machine = new MachineAddress(input.Host, input.Port);
        return
        [
            new("look", token => InTurn(operation, (loan, agent) => LookAsync(operation, machine, loan, agent, token), token)),
            new("copy", token => InTurn(operation, (loan, agent) => CopyAsync(machine, loan, agent, token), token), token => RemoveAsync(operation, machine, token)),
            new("service", token => InTurn(operation, (loan, agent) => ConfigureAsync(operation, machine, loan, agent, token), token)),
            new("enrol", token => WithAccess(operation, (loan, agent) => EnrolAsync(operation, machine, loan, agent, token), token)),
        ];
    }

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => lent.ReturnAsync(operation.Id);

    async Task<StepOutcome> InTurn(Operation operation, Func<Loan, AgentFile, Task<StepOutcome>> step, CancellationToken cancellationToken)
    {
        if (!working.Wait(0, CancellationToken.None)) return new StepOutcome.NotYet(TryAgain, "other machines come first");
        try
        {
            return await WithAccess(operation, step, cancellationToken);
        }
        finally
        {
            working.Release();
        }
    }

    async Task<StepOutcome> WithAccess(Operation operation, Func<Loan, AgentFile, Task<StepOutcome>> step, CancellationToken cancellationToken)
    {
        if (lent.Find(operation.Id) is not { } loan)
            return new StepOutcome.NotYet(NoHurry, $"the appliance was restarted and has no credentials for {operation.Subject} any more: give the same gridctl establish --apply again");
        if (await AgentFile.FindAsync(options, cancellationToken) is not { } agent) return new StepOutcome.Failed($"the appliance has no agent to copy: {options.BootFiles} has no {AgentFile.Name} (make image)");
        return await step(loan, agent);
    }

    async Task<StepOutcome> LookAsync(Operation operation, MachineAddress machine, Loan loan, AgentFile agent, CancellationToken cancellationToken)
    {
        var (plan, trouble) = await PlanAsync(machine, loan, agent, cancellationToken);
        if (trouble is not null) return trouble;
        if (loan.Survey?.MachineId is { } id && lent.Claim(operation.Id, id) is not null) return new StepOutcome.Failed("it is the same machine as another of the list, which is being established");
        return plan switch
        {
            EstablishPlan.Install install => new StepOutcome.Done($"{loan.Survey!.System}: {install.Message}"),
            EstablishPlan.Nothing nothing => new StepOutcome.Done(nothing.Message),
            EstablishPlan.Refuse refuse => new StepOutcome.Failed(refuse.Message),
            _ => throw new InvalidOperationException("a plan of no known kind"),
        };
    }

    async Task<StepOutcome> CopyAsync(MachineAddress machine, Loan loan, AgentFile agent, CancellationToken cancellationToken)
    {
        var (plan, trouble) = await PlanAsync(machine, loan, agent, cancellationToken);
        if (trouble is not null) return trouble;
        if (plan is EstablishPlan.Refuse refuse) return new StepOutcome.Failed(refuse.Message);
        if (loan.Survey!.Agent!.Digest == agent.Digest) return new StepOutcome.Done("the agent is there already");
        await using var content = File.OpenRead(agent.Path);
        var answer = await door.RunAsync(machine, loan.Lease, RemoteScript.Copy, loan.Survey.Rights!.Value, [$"{agent.Digest} {agent.Size}"], content, cancellationToken);
        // What was copied was compared with its digest there.
        var outcome = Outcome(answer, loan, $"copied the agent, {agent.Size / 1e6:0.0} MB", "the agent could not be copied");
        loan.Survey = outcome is StepOutcome.Done ? loan.Survey with { Agent = loan.Survey.Agent with { Digest = agent.Digest } } : null;
        return outcome;
    }

    async Task<StepOutcome> ConfigureAsync(Operation operation, MachineAddress machine, Loan loan, AgentFile agent, CancellationToken cancellationToken)
    {
        var (plan, trouble) = await PlanAsync(machine, loan, agent, cancellationToken);
        switch (plan)
        {
            case null: return trouble!;
            case EstablishPlan.Refuse refuse: return new StepOutcome.Failed(refuse.Message);
            case EstablishPlan.Nothing: return new StepOutcome.Done("its service runs already");
        }
        var route = ((EstablishPlan.Install)plan).Route;
        if (surveyor.UrlAt(route.Appliance) is not { } url || options.Networks.FirstOrDefault(network => network.Address.Address == route.Appliance) is not { } network)
            return new StepOutcome.Failed($"{route.Appliance} is no boot plane of this appliance any more");
        // Good for one enrolment, from this address, under this NIC. One that an earlier try issued is worth nothing once this one has been used.
        var token = (await attempts.IssueAsync(route.Mac, route.From, network.Name, null, cancellationToken)).Token;
        var answer = await door.RunAsync(machine, loan.Lease, RemoteScript.Configure, loan.Survey!.Rights!.Value,
            [operation.Id.ToString(), $"http://{url.Host}:{url.Port}", key.Fingerprint, token, route.Mac.ToString()], null, cancellationToken);
        loan.Started = time.GetUtcNow();
        return Outcome(answer, loan, $"grid-agent.service runs and calls {route.Appliance}", "the service could not be set up");
    }

    async Task<StepOutcome> EnrolAsync(Operation operation, MachineAddress machine, Loan loan, AgentFile agent, CancellationToken cancellationToken)
    {
        if (loan.Survey is null && await PlanAsync(machine, loan, agent, cancellationToken) is (null, { } trouble)) return trouble;
        var survey = loan.Survey!;
        var mac = survey.Agent?.Mac ?? (survey.Routes is [var route, ..] ? route.Mac : null);
        var node = mac is { } known ? nodes.Current.Find(known) : null;
        loan.Started ??= time.GetUtcNow();
        // One that has not been heard since is what was there before.
        if (node?.AgentLastSeen >= operation.Started)
        {
            switch (node.State)
            {
                case NodeState.Idle or NodeState.Active or NodeState.Assigning or NodeState.Releasing: return new StepOutcome.Done($"it is {node.Name}, {node.State.ToString().ToLowerInvariant()}");
                case NodeState.Held: return new StepOutcome.NotYet(LookAgain, $"{node.Name} waits for approval: gridctl discover approve {node.Name}");
                case NodeState.Failed or NodeState.Retired: return new StepOutcome.Failed($"{node.Name} is {node.State.ToString().ToLowerInvariant()}: {node.Problem ?? "see gridctl why"}");
                case NodeState.Discovered or NodeState.Enrolling: break;
            }
        }
        if (time.GetUtcNow() - loan.Started <= EnrolLimit) return new StepOutcome.NotYet(LookAgain, "its agent has not come to idle yet");
        var said = await door.RunAsync(machine, loan.Lease, RemoteScript.Tell, survey.Rights!.Value, [], null, cancellationToken);
        return new StepOutcome.Failed($"its agent did not come to idle in {EnrolLimit.TotalSeconds:0} s; {(said is RemoteAnswer.Ran ran ? $"its service is {ran.Find("active") ?? "unknown"}{(ran.Find("said") is { } last ? $" and says: {RemoteAnswer.Short(last)}" : "")}" : "and it is out of reach now")}");
    }

    /// <summary>Takes away what this operation has put there, and nothing that another one has.</summary>
    async Task<StepOutcome> RemoveAsync(Operation operation, MachineAddress machine, CancellationToken cancellationToken)
    {
        if (lent.Find(operation.Id) is not { } loan) return new StepOutcome.Failed("there are no credentials any more: what was put on it stays there");
        if (await AgentFile.FindAsync(options, cancellationToken) is not { } agent) return new StepOutcome.Failed("there is no agent to compare with");
        if (await surveyor.LookAsync(machine, loan.Lease, agent, cancellationToken) is not SurveyAnswer.Seen { Survey: var survey }) return new StepOutcome.Failed("it is out of reach: what was put on it stays there");
        return await door.RunAsync(machine, loan.Lease, RemoteScript.Remove, survey.Rights!.Value, [operation.Id.ToString()], null, cancellationToken) is RemoteAnswer.Ran { ExitCode: 0 }
            ? new StepOutcome.Done("what was put on it is gone")
            : new StepOutcome.Failed("what was put on it could not be taken away");
    }

    async Task<(EstablishPlan? Plan, StepOutcome? Trouble)> PlanAsync(MachineAddress machine, Loan loan, AgentFile agent, CancellationToken cancellationToken)
    {
        if (loan.Survey is null)
        {
            switch (await surveyor.LookAsync(machine, loan.Lease, agent, cancellationToken))
            {
                case SurveyAnswer.Seen seen: loan.Survey = seen.Survey; break;
                case SurveyAnswer.Obstructed { MayPass: true } passing: return (null, Later(loan, passing.Reason));
                case SurveyAnswer.Obstructed obstructed: return (null, new StepOutcome.Failed(obstructed.Reason));
            }
        }
        return (EstablishPlan.For(loan.Survey!, agent, key.Fingerprint, nodes.Current, time.GetUtcNow()), null);
    }

    StepOutcome Outcome(RemoteAnswer answer, Loan loan, string done, string failed) => answer switch
    {
        RemoteAnswer.Ran ran when ran.ExitCode == 0 && ran.Find("done") is not null => new StepOutcome.Done(done),
        RemoteAnswer.Ran ran => new StepOutcome.Failed($"{failed}: {ran.Trouble}"),
        RemoteAnswer.Refused refused => new StepOutcome.Failed(refused.Reason),
        RemoteAnswer.Unreachable unreachable => Later(loan, unreachable.Reason),
        _ => throw new InvalidOperationException("an answer of no known kind"),
    };

    StepOutcome Later(Loan loan, string reason) => time.GetUtcNow() - loan.Since > Patience
        ? new StepOutcome.Failed($"it cannot be reached: {reason}")
        : new StepOutcome.NotYet(TryAgain, reason);
}

/// <summary>Never a secret: this is kept.</summary>
sealed record EstablishMachineInput(string Host, int Port, string User);

[JsonSerializable(typeof(EstablishMachineInput))]
sealed partial class EstablishMachineJson : JsonSerializerContext;
