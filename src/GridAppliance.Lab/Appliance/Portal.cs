using System.Net;
using System.Net.Sockets;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;

namespace GridAppliance.Lab.Appliance;

/// <summary>
/// Carries TCP connections from this machine's loopback to the loopback of the appliance's namespace, where its status page is. A socket belongs to the
/// namespace of the thread that makes it: so one thread enters the namespace, accepts from outside and dials inside, and the copying may run anywhere.
/// </summary>
sealed class Portal(LabPlan plan) : IDisposable
{
    /// <summary>A browser opens six per page; beyond this, connections wait to be accepted.</summary>
    const int MostConnections = 64;
    const int PortsToTry = 100;

    readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly SemaphoreSlim places = new(MostConnections);

    /// <summary>Listens on the appliance's port number here too, or on the next that is free.</summary>
    public int Listen()
    {
        for (var port = LabAppliance.ManagementPort; port < LabAppliance.ManagementPort + PortsToTry; port++)
        {
            try
            {
                listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
                listener.Listen();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
            }
        }
        throw new LabException($"No port from {LabAppliance.ManagementPort} to {LabAppliance.ManagementPort + PortsToTry - 1} is free on 127.0.0.1.");
    }

    /// <summary>Carries connections until told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var door = new Thread(() => Serve(ended, cancellation)) { Name = "portal", IsBackground = true };
        await using (cancellation.Register(listener.Dispose))
        {
            door.Start();
            await ended.Task;
        }
    }

    void Serve(TaskCompletionSource ended, CancellationToken cancellation)
    {
        var carried = new List<Task>();
        try
        {
            EnterNamespace(plan.Appliance.Namespace);
            while (!cancellation.IsCancellationRequested)
            {
                places.Wait(cancellation);
                var outside = listener.Accept();
                var inside = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                carried.RemoveAll(connection => connection.IsCompleted);
                carried.Add(CarryAsync(outside, inside, cancellation));
            }
        }
        catch (Exception stopped) when (cancellation.IsCancellationRequested && stopped is SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
        catch (Exception failure)
        {
            ended.SetException(failure);
            return;
        }
        Task.WaitAll(carried, CancellationToken.None);
        ended.SetResult();
    }

    /// <summary>Owns both sockets and one place; ends by itself when either side does, and tells nobody: a cut connection is the browser's business.</summary>
    async Task CarryAsync(Socket outside, Socket inside, CancellationToken cancellation)
    {
        try
        {
            using (outside)
            using (inside)
            {
                await inside.ConnectAsync(new IPEndPoint(IPAddress.Loopback, LabAppliance.ManagementPort), cancellation);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                var ways = (Task[])[CopyAsync(outside, inside, either.Token), CopyAsync(inside, outside, either.Token)];
                await await Task.WhenAny(ways);
                // The page's event stream is one-sided: when one way ends, the other has nothing more to say.
                await either.CancelAsync();
                await Task.WhenAll(ways);
            }
        }
        catch (Exception cut) when (cut is SocketException or OperationCanceledException)
        {
        }
        finally
        {
            places.Release();
        }
    }

    static async Task CopyAsync(Socket from, Socket to, CancellationToken cancellation)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReceiveAsync(buffer, cancellation) is > 0 and var received)
            for (var sent = 0; sent < received;) sent += await to.SendAsync(buffer.AsMemory(sent, received - sent), cancellation);
    }

    static void EnterNamespace(string name)
    {
        using var handle = File.OpenHandle(Namespaces.PathOf(name));
        if (Libc.SetNamespace(handle, Libc.CloneNewNet) != 0)
            throw new LabException($"Namespace {name} cannot be entered: {System.Runtime.InteropServices.Marshal.GetLastPInvokeErrorMessage()}.");
    }

    public void Dispose()
    {
        listener.Dispose();
        places.Dispose();
    }
}
