using System.Net;
using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Power.Ports;

/// <summary>Acting through ports, and remembering how they were.</summary>
sealed partial class NodePorts
{
    /// <summary>Does something through a port. Whatever comes of it is remembered as the port's state, and a change of that is told on the node's timeline, once.</summary>
    /// <exception cref="DeviceException">The device or the way to it failed, or it cannot do this.</exception>
    public async Task<TResult> UseAsync<T, TResult>(NodePort port, Func<T, CancellationToken, Task<TResult>> use, CancellationToken cancellationToken) where T : class
    {
        if (!port.Scheme.Can(typeof(T))) throw new DeviceException(DeviceFault.Unsupported, port.Address.OriginalString, $"cannot do this: it has {string.Join(", ", port.Scheme.Capabilities)}", isTransient: false);
        T? driver = null;
        try
        {
            driver = (T)await OpenAsync(port, cancellationToken);
            var result = await use(driver, cancellationToken);
            await LearnAsync(port, driver as ICertifiedPort, cancellationToken);
            await ReportAsync(port, PortState.Answers(time.GetUtcNow()), cancellationToken);
            return result;
        }
        catch (DeviceException e)
        {
            // Whoever has been given the account is who has to be there next time too, even if it did not take it.
            await LearnAsync(port, driver as ICertifiedPort, cancellationToken);
            // The device's own word, and of a kind that locks accounts.
            if (e.Fault == DeviceFault.CredentialsRefused && driver is not null && port.Scheme.Kind == PortKind.Bmc) await RefuseAsync(port, e, cancellationToken);
            await ReportAsync(port, PortState.Of(e, time.GetUtcNow()), cancellationToken);
            if (e.Fault is DeviceFault.Unreachable or DeviceFault.TimedOut) await FollowNameAsync(port, cancellationToken);
            throw;
        }
        catch (ObjectDisposedException e)
        {
            throw new DeviceException(DeviceFault.Busy, port.Address.OriginalString, "its account was changed meanwhile", isTransient: true, e);
        }
    }

    public Task UseAsync<T>(NodePort port, Func<T, CancellationToken, Task> use, CancellationToken cancellationToken) where T : class =>
        UseAsync<T, bool>(port, async (driver, token) => { await use(driver, token); return true; }, cancellationToken);

    /// <summary>The one driver of this port, opened when it is not open. Nothing is sent. Not to be disposed of by the caller, and not to be kept: a changed account closes it.</summary>
    /// <exception cref="DeviceException">The port is gone, its account was refused in an earlier life, or its secrets cannot be read.</exception>
    public async ValueTask<IPrivilegedPort> OpenAsync(NodePort port, CancellationToken cancellationToken)
    {
        var now = Current.Find(port.Address) ?? throw Gone(port);
        if (open.TryGetValue(now.Id, out var held) && ReferenceEquals(held.Port, now)) return held.Driver;
        await changing.WaitAsync(cancellationToken);
        try
        {
            now = Current.Find(port.Address) ?? throw Gone(port);
            if (open.TryGetValue(now.Id, out held) && ReferenceEquals(held.Port, now)) return held.Driver;
            await CloseAsync(now.Id);
            if (now.Refusal is not null) throw Refused(now);
            var resolved = PortHost.IsName(now.Address) ? await PortHost.ResolveAsync(now.Address, time, cancellationToken) : null;
            var driver = OpenDriver(new(now.Address, CredentialsOf(now), now.Fingerprint, resolved));
            open[now.Id] = new(now, driver, resolved);
            return driver;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Where the port's device is: as its address says, or what its name meant when it was opened; null for a name that nobody has used yet.</summary>
    public IPAddress? PlaceOf(NodePort port) => PortHost.AddressIn(port.Address) ?? (open.TryGetValue(port.Id, out var held) ? held.ResolvedTo : null);

    IPrivilegedPort OpenDriver(PortAddress address)
    {
        try
        {
            return family.Open(address);
        }
        catch (InvalidOperationException e)
        {
            // Two names of one device: it has one owner.
            throw new DeviceException(DeviceFault.Refused, address.Uri.OriginalString, $"is the same device as another port: {e.Message}", isTransient: false, e);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new DeviceException(DeviceFault.Unreachable, address.Uri.OriginalString, $"there is no way to addresses of its kind: {e.Message}", isTransient: true, e);
        }
    }

    /// <summary>A device that does not answer and is known by a name may have moved: then the next use opens it where it is now.</summary>
    async Task FollowNameAsync(NodePort port, CancellationToken cancellationToken)
    {
        if (!open.TryGetValue(port.Id, out var held) || held.ResolvedTo is not { } before) return;
        try
        {
            var now = await PortHost.ResolveAsync(port.Address, time, cancellationToken);
            if (now.Equals(before)) return;
        }
        catch (DeviceException)
        {
            return;
        }
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (open.TryGetValue(port.Id, out var still) && ReferenceEquals(still, held)) await CloseAsync(port.Id);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <exception cref="DeviceException">They were sealed with another key.</exception>
    public PortCredentials CredentialsOf(NodePort port) => new()
    {
        User = port.User, Password = Unseal(port, port.Password, "password"), DeviceKey = Unseal(port, port.DeviceKey, "device-key"),
    };

    byte[] Unseal(NodePort port, SealedSecret? secret, string what)
    {
        if (secret is not { } kept) return [];
        return seal.Unseal(kept, Purpose(port.Id, what)) ?? throw new DeviceException(
            DeviceFault.CredentialsRefused, port.Address.OriginalString, $"its {what} was sealed with another secrets.key than the one in dataDir: set it again", isTransient: false);
    }

    Task LearnAsync(NodePort port, ICertifiedPort? device, CancellationToken cancellationToken) =>
        device?.Fingerprint is { } fingerprint && Current.Find(port.Address) is { Fingerprint: null } ? PinAsync(port, fingerprint, cancellationToken) : Task.CompletedTask;

    async Task CloseAsync(Guid id)
    {
        if (open.TryRemove(id, out var held)) await held.Driver.DisposeAsync();
    }

    async Task ReportAsync(NodePort port, PortState seen, CancellationToken cancellationToken)
    {
        // What was learned of an account that has been changed since is about nobody.
        // And a wake-up is answered by nobody: that it was sent says nothing.
        if (port.Scheme.Kind == PortKind.Wake || Current.Find(port.Address) is not { } now || now.Id != port.Id || now.SetAt != port.SetAt) return;
        PortState? before = null;
        states.AddOrUpdate(port.Id, seen, (_, was) => { before = was; return was.Health == seen.Health ? seen with { Since = was.Since } : seen; });
        if (before?.Health == seen.Health || (before is null && seen.Health == PortHealth.Answers)) return;
        var (kind, message, severity) = seen.Health switch
        {
            PortHealth.Unknown => throw new InvalidOperationException("a port that was used is not unknown"),
            PortHealth.Answers => ("port.answers", $"{port.Address.OriginalString} answers again", EventSeverity.Info),
            PortHealth.Silent => ("port.silent", seen.Problem!, EventSeverity.Warning),
            PortHealth.Refused => ("port.refused", $"{seen.Problem}; it is not tried again before its account is changed", EventSeverity.Error),
            PortHealth.Troubled => ("port.troubled", seen.Problem!, EventSeverity.Warning),
        };
        await timeline.AppendAsync(Tell(now, kind, message, "appliance", severity), cancellationToken);
    }

    static DeviceException Refused(NodePort port) => new(DeviceFault.CredentialsRefused, port.Address.OriginalString, port.Refusal!.Reason, isTransient: false);

    static DeviceException Gone(NodePort port) => new(DeviceFault.Unsupported, port.Address.OriginalString, "is no port of the appliance any more", isTransient: false);
}
