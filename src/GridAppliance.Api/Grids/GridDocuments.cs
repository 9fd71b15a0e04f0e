namespace GridAppliance.Api.Grids;

/// <summary>A grid (<c>GET /api/v1/grids/{name}</c>): nodes that take requests from outside at one place.</summary>
public sealed record GridDocument
{
    public required string Name { get; init; }
    public required string Engine { get; init; }
    /// <summary>forming, up, or leaving.</summary>
    public required string State { get; init; }
    public required IReadOnlyList<GridMemberDocument> Members { get; init; }
    /// <summary>What the engine has to do and did lately, as its master says; in a list of grids at most 200 of each.</summary>
    public IReadOnlyList<GridJobDocument> Jobs { get; init; } = [];
    /// <summary>How many jobs there are in each state, in the engine's own words.</summary>
    public IReadOnlyDictionary<string, int> JobCounts { get; init; } = new Dictionary<string, int>();
    /// <summary>Why the engine's own words are missing here.</summary>
    public string? Problem { get; init; }
    /// <summary>When the engine was asked; null when it was not yet.</summary>
    public DateTimeOffset? Seen { get; init; }
    public required DateTimeOffset Created { get; init; }
}

public sealed record GridMemberDocument
{
    public required string Node { get; init; }
    /// <summary>master or worker.</summary>
    public required string Role { get; init; }
    /// <summary>joining, member, drained or leaving: how the appliance has it.</summary>
    public required string Standing { get; init; }
    /// <summary>Since when its engine has it as down, as the appliance wrote it down; null for one that works.</summary>
    public DateTimeOffset? DownSince { get; init; }
    /// <summary>idle, busy, draining, drained or down: how the engine has it. Of a master that stands by: ready, or behind. Null for the master that takes requests, and before there is one.</summary>
    public string? State { get; init; }
    public int? BusyCpus { get; init; }
    public int? Cpus { get; init; }
    /// <summary>In the engine's own measure.</summary>
    public string? Load { get; init; }
}

public sealed record GridJobDocument
{
    public required string Id { get; init; }
    /// <summary>In the engine's own words.</summary>
    public required string State { get; init; }
    public required string Name { get; init; }
    public string? Nodes { get; init; }
}

/// <summary><c>POST /api/v1/grids</c>.</summary>
public sealed record GridRequest
{
    /// <summary>Lower-case letters, digits and dashes.</summary>
    public required string Name { get; init; }
    public string Engine { get; init; } = "slurm";
    /// <summary>A noderange.</summary>
    public required string Masters { get; init; }
    public required string Workers { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/grids/{name}/add</c>, <c>…/drain</c>, <c>…/resume</c>, <c>…/remove</c>, <c>…/delete</c>.</summary>
public sealed record GridChangeRequest
{
    /// <summary>A noderange; for <c>delete</c> nobody looks at it.</summary>
    public string Range { get; init; } = "";
    /// <summary>Work that is there is not waited for: it goes on elsewhere.</summary>
    public bool Now { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/grids/{name}/requests</c>: something for the engine to do.</summary>
public sealed record GridWorkRequest
{
    /// <summary>run (<see cref="Command"/>, waited for), submit (<see cref="Script"/>, <see cref="Count"/> times) or output (of <see cref="Job"/>).</summary>
    public required string Kind { get; init; }
    public IReadOnlyList<string> Command { get; init; } = [];
    public string? Script { get; init; }
    public int Count { get; init; } = 1;
    public string? Job { get; init; }
    /// <summary>How long it may take, at most 300.</summary>
    public int Seconds { get; init; } = 60;
}

/// <summary><c>POST /api/v1/grids/{name}/pass</c>.</summary>
public sealed record GridPassRequest
{
    /// <summary>How long it is good for, at most a week.</summary>
    public int Seconds { get; init; } = 3600;
}

/// <summary>What a program shows to a grid's engine, to ask it without the appliance in between. A secret.</summary>
public sealed record GridPassDocument
{
    /// <summary>Where the engine answers.</summary>
    public required string Url { get; init; }
    /// <summary>What every request carries.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }
    /// <summary>A path that is worth a first question.</summary>
    public required string Try { get; init; }
    public required DateTimeOffset Expires { get; init; }
}

public sealed record GridWorkDocument
{
    public required bool Succeeded { get; init; }
    public string? Message { get; init; }
    public string Output { get; init; } = "";
}
