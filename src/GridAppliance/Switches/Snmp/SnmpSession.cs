using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>
/// Talks to one device: a limited number of questions at a time, each sent again with growing patience, the version 3 engine discovered once and its
/// clock kept in step. Fails with a <see cref="DeviceException"/>.
/// </summary>
sealed partial class SnmpSession : IDisposable
{
    /// <summary>How often one question is begun anew because the engine turned out to be another, or in another time.</summary>
    const int Rounds = 4;

    readonly SnmpSocket socket;
    readonly SocketAddress agent;
    readonly SnmpProtection protection;
    readonly SnmpTimings timings;
    readonly TimeProvider clock;
    readonly SemaphoreSlim slots;
    readonly SemaphoreSlim discovery = new(1);
    readonly BulkSize bulk;
    // The device has answered at least once: silence now is another fault than silence ever.
    volatile bool hasAnswered;

    public SnmpSession(SnmpSocket socket, IPEndPoint agent, SnmpCredentials credentials, SnmpTimings timings, TimeProvider clock)
    {
        this.socket = socket;
        socket.Reach(agent);
        this.agent = agent.Serialize();
        this.timings = timings;
        this.clock = clock;
        Device = agent.ToString();
        slots = new(timings.InFlight);
        bulk = new(timings);
        protection = credentials switch
        {
            SnmpCredentials.Community community => new CommunityProtection(community.Name),
            SnmpCredentials.User user => new UsmProtection(user, clock),
            _ => throw new ArgumentException("credentials of no known kind", nameof(credentials)),
        };
    }

    public TimeProvider Clock => clock;

    /// <summary>The device as an operator knows it.</summary>
    public string Device { get; }

    /// <summary>Octets that the variables of one request may take together.</summary>
    public int RoomForVarbinds => timings.LargestRequest - protection.Overhead - 32;

    /// <summary>Asks once, whatever it takes; gives the Response, whose error status is the caller's to judge.</summary>
    /// <param name="ask">Makes the PDU for attempt 0, 1, …: a later attempt may ask for less.</param>
    /// <param name="context">Which view of the device.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<SnmpAnswer> AskAsync(Func<int, SnmpPdu> ask, SnmpContext context, CancellationToken cancellationToken) => AskAsync(ask, context, timings.Attempts, cancellationToken);

    async Task<SnmpAnswer> AskAsync(Func<int, SnmpPdu> ask, SnmpContext context, int attempts, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        try
        {
            var report = UsmReport.Unknown;
            for (var round = 0; round < Rounds; round++)
            {
                if (protection.NeedsDiscovery) await DiscoverAsync(cancellationToken);
                var answer = await SendAsync(protection, ask, context, attempts, cancellationToken);
                if (answer.Pdu.Type == SnmpPduType.Response) return answer;
                report = UsmReports.Of(answer.Pdu);
                if (report == UsmReport.UnknownEngineId) protection.Forget();
                else if (report != UsmReport.NotInTimeWindow) throw Refusal(report);
            }
            throw Refusal(report);
        }
        finally
        {
            slots.Release();
        }
    }

    async Task<SnmpAnswer> SendAsync(SnmpProtection wrapping, Func<int, SnmpPdu> ask, SnmpContext context, int attempts, CancellationToken cancellationToken)
    {
        using var question = new SnmpQuestion(socket, agent, wrapping);
        var wait = timings.FirstWait;
        for (var attempt = 0; attempt < attempts; attempt++, wait *= 2)
        {
            try
            {
                question.Send(ask(attempt), context);
                var answer = await question.Answer.WaitAsync(wait, clock, cancellationToken);
                hasAnswered = true;
                return answer;
            }
            catch (TimeoutException)
            {
                Telemetry.SnmpRetries.Add(1, new KeyValuePair<string, object?>("device", Device));
            }
            catch (SocketException e)
            {
                throw new DeviceException(DeviceFault.Unreachable, Device, $"cannot be reached ({e.SocketErrorCode})", isTransient: true, e);
            }
        }
        throw hasAnswered
            ? new DeviceException(DeviceFault.TimedOut, Device, $"has stopped answering ({attempts} attempts)", isTransient: true)
            : new DeviceException(DeviceFault.Unreachable, Device, "does not answer: it is not there, or does not know the community", isTransient: true);
    }

    async Task DiscoverAsync(CancellationToken cancellationToken)
    {
        await discovery.WaitAsync(cancellationToken);
        try
        {
            if (!protection.NeedsDiscovery || protection is not UsmProtection usm) return;
            using var asking = new DiscoveryProtection();
            await SendAsync(asking, static _ => new() { Type = SnmpPduType.Get, RequestId = 0 }, SnmpContext.Default, timings.Attempts, cancellationToken);
            var (id, boots, time) = asking.Engine!.Value;
            if (id.Length is < 5 or > V3Message.MaximumEngineId) throw new DeviceException(DeviceFault.Nonsense, Device, $"says that its engine id is {Convert.ToHexStringLower(id)}, which no engine may have", isTransient: false);
            usm.Discovered(id, boots, time);
        }
        finally
        {
            discovery.Release();
        }
    }

    DeviceException Refusal(UsmReport report)
    {
        var (fault, message) = report switch
        {
            UsmReport.UnknownUserName => (DeviceFault.CredentialsRefused, "does not know the user"),
            UsmReport.WrongDigest => (DeviceFault.CredentialsRefused, "does not accept the authentication passphrase"),
            UsmReport.DecryptionError => (DeviceFault.CredentialsRefused, "cannot decrypt: the privacy passphrase or algorithm is another"),
            UsmReport.UnsupportedSecurityLevel => (DeviceFault.CredentialsRefused, "does not let the user sign and encrypt"),
            UsmReport.UnknownContext or UsmReport.UnavailableContext => (DeviceFault.Unsupported, "has no such context"),
            UsmReport.NotInTimeWindow => (DeviceFault.Nonsense, "changes its clock with every answer"),
            UsmReport.UnknownEngineId => (DeviceFault.Nonsense, "does not know its own engine id"),
            UsmReport.Unknown => (DeviceFault.Nonsense, "answers with a report that nobody knows"),
        };
        return new(fault, Device, message, isTransient: false);
    }

    public void Dispose() => protection.Dispose();
}
