namespace GridAppliance.Power.Nodes;

/// <summary>What somebody last asked of a machine's power. Durable, and apart from what is observed.</summary>
sealed record PowerWish
{
    /// <summary>Unknown when nobody has asked for anything yet and only the policy was set.</summary>
    public PowerState Desired { get; init; }
    public required string By { get; init; }
    public required DateTimeOffset At { get; init; }
    /// <summary>The operating system was asked to shut down: that is never followed by cutting the power.</summary>
    public bool IsSoft { get; init; }
    /// <summary>On the way to it the machine is off for a while, and that is nobody's doing but the order's.</summary>
    public bool IsCycle { get; init; }
    /// <summary>The appliance sees to it that the wish comes true; otherwise it only looks.</summary>
    public bool IsEnforced { get; init; }
    /// <summary>It came true since it was asked.</summary>
    public bool IsReached { get; init; }
    /// <summary>Somebody at the machine decided otherwise: left alone until the next order.</summary>
    public bool HasYielded { get; init; }
}

/// <summary>What was last seen of a machine's power. In memory.</summary>
/// <param name="State">Unknown while its port does not tell.</param>
/// <param name="Known">The last state that was told; unknown before the first.</param>
/// <param name="Since">Since when it is in <paramref name="State"/>.</param>
readonly record struct PowerSighting(PowerState State, PowerState Known, DateTimeOffset Since)
{
    public static PowerSighting Next(PowerSighting? before, PowerState seen, DateTimeOffset now) =>
        new(seen, seen == PowerState.Unknown ? before?.Known ?? PowerState.Unknown : seen, before is { } was && was.State == seen ? was.Since : now);
}

/// <summary>What follows from a look at a machine's power.</summary>
/// <param name="Wish">The wish as it is from now on.</param>
/// <param name="Act">What to do about the machine, or null.</param>
/// <param name="Tell">For the timeline, or null.</param>
readonly record struct PowerDecision(PowerWish? Wish, PowerAction? Act = null, string? Tell = null);

/// <summary>
/// Decides about a machine's power. Pure. An order that has not come true yet is carried out when that is enforced; a state that was reached and then left under the eyes of a port
/// that answered all along was changed by somebody at the machine, or by its operating system: that is told and never fought. A state that was left while the port was silent too is
/// a power failure, and the order holds again.
/// </summary>
static class PowerPlan
{
    /// <summary>How long an order has before it is given again: a power cycle passes through the wrong state.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    public static PowerDecision Of(PowerWish? wish, PowerSighting? before, PowerState seen, DateTimeOffset now)
    {
        if (seen == PowerState.Unknown) return new(wish);
        var wasKnown = before is { Known: not PowerState.Unknown };
        var changed = wasKnown && before!.Value.Known != seen;
        var word = Word(seen);
        if (wish is null or { Desired: PowerState.Unknown }) return new(wish, Tell: changed ? $"is {word}; nobody asked the appliance for it" : null);
        // It is on before a cycle as well as after it: that it came true is known when it was seen to come back, or when the time for it is over.
        if (wish is { IsCycle: true, IsReached: false } && now - wish.At < Grace && !(changed && seen == wish.Desired)) return new(wish);
        if (seen == wish.Desired) return new(wish.IsReached && !wish.HasYielded ? wish : wish with { IsReached = true, HasYielded = false }, Tell: changed ? $"is {word}, as {wish.By} asked" : null);
        if (!wish.IsReached) return new(wish, Act: MayAct(wish, now) ? ActionFor(wish) : null);
        if (wish.HasYielded) return new(wish, Tell: changed ? $"is {word}; nobody asked the appliance for it" : null);
        if (changed && before!.Value.State == PowerState.Unknown)
        {
            var again = wish with { IsReached = false };
            return new(again, MayAct(again, now) ? ActionFor(again) : null, $"is {word} after a silence of its port: the power failed{(wish.IsEnforced ? $", and {wish.By} wanted it {Word(wish.Desired)}" : "")}");
        }
        // Whatever happened while the appliance was not running is somebody's decision too.
        return new(wish with { HasYielded = true }, Tell: $"is {word}, though {wish.By} asked for {Word(wish.Desired)}: somebody at the machine did that, or its operating system; it is left so");
    }

    public static string Word(PowerState state) => state switch { PowerState.On => "on", PowerState.Off => "off", PowerState.Unknown => "unknown" };

    static bool MayAct(PowerWish wish, DateTimeOffset now) => wish is { IsEnforced: true, HasYielded: false } && now - wish.At >= Grace;

    static PowerAction? ActionFor(PowerWish wish) => wish.Desired == PowerState.On ? PowerAction.On : wish.IsSoft ? null : PowerAction.Off;
}
