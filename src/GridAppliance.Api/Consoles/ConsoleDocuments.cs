namespace GridAppliance.Api.Consoles;

/// <summary>A line of a console's record: <c>GET /api/v1/nodes/{name}/console/log</c>.</summary>
public sealed record ConsoleLineDocument
{
    /// <summary>When its first character came.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary><c>output</c>: the node's words. <c>mark</c>: the appliance's own (connected, lost, taken over).</summary>
    public required string Kind { get; init; }
    /// <summary>Without control characters and escape sequences.</summary>
    public required string Text { get; init; }
}

/// <summary>What the appliance says beside the console's octets: a text frame of <c>/api/v1/nodes/{name}/console</c>. Binary frames are output as the node sent it.</summary>
public sealed record ConsoleMessage
{
    public const string State = "state", Mark = "mark", Refused = "refused";

    /// <summary><c>state</c>, <c>mark</c> or <c>refused</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Of a state: the line to the node is open.</summary>
    public bool? Connected { get; init; }
    /// <summary>Of a state: where the line goes.</summary>
    public string? Port { get; init; }
    /// <summary>Of a state: who types; absent when nobody does.</summary>
    public string? Writer { get; init; }
    /// <summary>Of a state: it is you who types.</summary>
    public bool? You { get; init; }
    /// <summary>Of a state: how many look, you among them.</summary>
    public int? Viewers { get; init; }

    /// <summary>Of a mark: when.</summary>
    public DateTimeOffset? At { get; init; }
    /// <summary>Of a mark: what happened. Of a refusal: why, in a sentence.</summary>
    public string? Text { get; init; }
}

/// <summary>What a viewer asks for: a text frame of <c>/api/v1/nodes/{name}/console</c>. Binary frames are what is typed.</summary>
public sealed record ConsoleRequest
{
    public const string Claim = "claim", TakeOver = "take-over", Release = "release", Break = "break", SysRq = "sysrq", Resize = "resize";

    /// <summary><c>claim</c> (type if nobody does), <c>take-over</c>, <c>release</c>, <c>break</c>, <c>sysrq</c> or <c>resize</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Of a SysRq: one letter or digit.</summary>
    public string? Key { get; init; }
    /// <summary>Of a resize.</summary>
    public int? Columns { get; init; }
    /// <summary>Of a resize.</summary>
    public int? Rows { get; init; }
}

/// <summary><c>POST /api/v1/nodes/{name}/recover</c>.</summary>
public sealed record RecoverRequest
{
    /// <summary>Also make it boot from the network now, through its BMC; otherwise whoever restarts it does.</summary>
    public bool Restart { get; init; } = true;
    /// <summary>Take the wish back: the next boot is an ordinary one.</summary>
    public bool Cancel { get; init; }
}

/// <summary>A console script: <c>GET /api/v1/console-scripts</c>.</summary>
public sealed record ConsoleScriptDocument
{
    public required string Name { get; init; }
    /// <summary>One sentence: what for.</summary>
    public required string About { get; init; }
    /// <summary>What it does, step by step, in words.</summary>
    public required IReadOnlyList<string> Steps { get; init; }
}

/// <summary><c>POST /api/v1/nodes/{name}/console/script</c>: runs a script; it ends when the caller hangs up.</summary>
public sealed record ConsoleScriptRequest
{
    public required string Script { get; init; }
    /// <summary>Type even if somebody else does; they see it.</summary>
    public bool TakeOver { get; init; }
}

/// <summary>How far a script is: a line of the answer, as it happens.</summary>
public sealed record ConsoleScriptProgress
{
    public required DateTimeOffset At { get; init; }
    /// <summary>Which step, from one.</summary>
    public required int Step { get; init; }
    /// <summary><c>step</c> (begun), <c>done</c> or <c>failed</c>: the last one is one of the latter.</summary>
    public required string Outcome { get; init; }
    /// <summary>What it does, or why it failed.</summary>
    public required string Text { get; init; }
}
