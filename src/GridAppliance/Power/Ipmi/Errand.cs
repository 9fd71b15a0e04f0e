using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Ipmi;

/// <summary>An answer with its completion code; the value is there when the code is <see cref="CompletionCode.Ok"/>.</summary>
readonly record struct IpmiAnswer<T>(CompletionCode Code, T? Value);

/// <summary>A piece of work that waits for a BMC's owner: a command, or a conversation that must not be interrupted.</summary>
abstract class Errand
{
    public abstract bool IsAbandoned { get; }
    /// <summary>Runs on the owner's task, which is the only one that talks to the BMC.</summary>
    public abstract Task RunAsync(BmcOwner owner);
    public abstract void Fail(Exception reason);
}

/// <summary>An errand with a result that a caller waits for.</summary>
abstract class Errand<T> : Errand
{
    readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    CancellationTokenRegistration abandoning;

    /// <summary>A caller that gives up does not interrupt the BMC: what is under way is finished and its answer dropped.</summary>
    public Task<T> Completion(CancellationToken cancellationToken)
    {
        abandoning = cancellationToken.UnsafeRegister(static (state, token) => ((Errand<T>)state!).completion.TrySetCanceled(token), this);
        return completion.Task;
    }

    public sealed override bool IsAbandoned => completion.Task.IsCompleted;

    public sealed override void Fail(Exception reason)
    {
        abandoning.Dispose();
        completion.TrySetException(reason);
    }

    public sealed override async Task RunAsync(BmcOwner owner)
    {
        var result = await DoAsync(owner);
        abandoning.Dispose();
        completion.TrySetResult(result);
    }

    protected abstract Task<T> DoAsync(BmcOwner owner);
}

sealed class CommandErrand<T>(IpmiRequest<T> request) : Errand<IpmiAnswer<T>>
{
    protected override async Task<IpmiAnswer<T>> DoAsync(BmcOwner owner)
    {
        var exchange = await owner.CommandAsync(request);
        if (exchange.Code != CompletionCode.Ok) return new(exchange.Code, default);
        if (request.TryReadAnswer(exchange.Data.Span, out var answer)) return new(CompletionCode.Ok, answer);
        throw owner.Nonsense($"{request.GetType().Name} was answered with {exchange.Data.Length} octets that make no sense");
    }
}

/// <summary>Asks outside any session how the BMC lets people in, which it tells everybody; null when its answer makes no sense.</summary>
sealed class CapabilitiesErrand : Errand<AuthenticationCapabilities?>
{
    protected override Task<AuthenticationCapabilities?> DoAsync(BmcOwner owner) => owner.AskForCapabilitiesAsync();
}
