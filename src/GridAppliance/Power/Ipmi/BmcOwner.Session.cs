using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Power.Ipmi;

/// <summary>Opening and closing sessions (IPMI 2.0, sections 13.15 to 13.24).</summary>
sealed partial class BmcOwner
{
    const byte Role = Rakp1.NameOnlyLookup | (byte)IpmiPrivilege.Administrator;

    static readonly IpmiPrivilege[] Privileges = [IpmiPrivilege.Administrator, IpmiPrivilege.Operator];

    IpmiSession? session;
    readonly PortCredentials credentials;
    /// <summary>Why the BMC did not take the account: remembered so that it is not tried into a lock-out. Another account is another owner.</summary>
    string? refused;
    /// <summary>The suite that worked last.</summary>
    CipherSuite? known;
    bool hasEverAnswered;

    enum HandshakeEnd { Opened, Silent, SuiteRefused }

    /// <summary>The suite of the open session, for a page that shows it.</summary>
    public CipherSuite? Suite => known;

    async Task<IpmiSession> OpenSessionAsync()
    {
        if (known is not null && await TryOpenAsync(known, isAlive: false) is { } again) return again;
        // The suite of old is gone, or the BMC is new: which can there be?
        known = null;
        foreach (var suite in await CandidatesAsync())
        {
            if (await TryOpenAsync(suite, isAlive: true) is { } opened) return opened;
        }
        throw new DeviceException(DeviceFault.Insecure, device, "offers none of the cipher suites 17, 3, 16 and 15", isTransient: false);
    }

    /// <summary>Null when the BMC does not want this suite. One that is known to be alive and drops a proposal does not want it either.</summary>
    async Task<IpmiSession?> TryOpenAsync(CipherSuite suite, bool isAlive)
    {
        var end = await HandshakeAsync(suite);
        if (end == HandshakeEnd.Silent && !isAlive) throw Silence("does not answer");
        if (end != HandshakeEnd.Opened) return null;
        known = suite;
        await RaisePrivilegeAsync(session!);
        return session;
    }

    /// <summary>The suites worth proposing, best first; all of them when the BMC does not tell its algorithms.</summary>
    /// <exception cref="DeviceException">Nobody is there.</exception>
    async Task<IEnumerable<CipherSuite>> CandidatesAsync()
    {
        var request = new GetChannelAlgorithms();
        var discovery = new CommandExchange(request, NextSequence());
        var answered = await ExchangeAsync(discovery, timings.Attempts);
        if (!answered && !await IsAliveAsync()) throw Silence("does not answer");
        hasEverAnswered = true;
        return answered && discovery.Code == CompletionCode.Ok && request.TryReadAnswer(discovery.Data.Span, out var algorithms)
            ? CipherSuite.Preferred.Where(algorithms.Allow)
            : CipherSuite.Preferred;
    }

    async Task<HandshakeEnd> HandshakeAsync(CipherSuite suite)
    {
        // Each attempt starts from the beginning with new ids: a BMC that saw message 1 twice holds another random number than the one we took.
        var wait = timings.FirstWait;
        for (var attempt = 0; attempt < timings.Attempts; attempt++, wait *= 2)
        {
            if (attempt > 0) Telemetry.BmcRetries.Add(1);
            if (await TryHandshakeAsync(suite, Stretch(wait)) is not HandshakeEnd.Silent and var end) return end;
        }
        return HandshakeEnd.Silent;
    }

    async Task<HandshakeEnd> TryHandshakeAsync(CipherSuite suite, TimeSpan wait)
    {
        var account = credentials;
        var (tag, consoleId) = NewIds();
        var open = new OpenSessionExchange(tag, consoleId, suite);
        if (!await AttemptAsync(open, wait)) return HandshakeEnd.Silent;
        if (IsAboutSuite(open.Response.Status)) return HandshakeEnd.SuiteRefused;
        Require(open.Response.Status, account);
        // A BMC may answer a proposal with weaker algorithms than proposed: that is a refusal.
        if (!open.Response.Chose(suite)) return HandshakeEnd.SuiteRefused;

        var bmcId = open.Response.BmcId;
        var random = RandomNumberGenerator.GetBytes(RakpTranscript.RandomLength);
        var name = Encoding.Latin1.GetBytes(account.User);
        var rakp1 = new Rakp1Exchange(++tag, consoleId, bmcId, suite, random, Role, name);
        if (!await AttemptAsync(rakp1, wait)) return HandshakeEnd.Silent;
        if (IsAboutSuite(rakp1.Status)) return HandshakeEnd.SuiteRefused;
        Require(rakp1.Status, account);

        var transcript = new RakpTranscript(suite, consoleId, bmcId, random, rakp1.BmcRandom, rakp1.BmcGuid, Role, name);
        var code = new byte[RakpTranscript.MaxHash];
        var length = transcript.Rakp2Code(account.Password.Span, code);
        if (!CryptographicOperations.FixedTimeEquals(code.AsSpan(0, length), rakp1.Code)) throw RefuseCredentials(account, "the password is not the one that the BMC has");

        length = transcript.Rakp3Code(account.Password.Span, code);
        var rakp3 = new Rakp3Exchange(++tag, consoleId, bmcId, suite, code[..length]);
        if (!await AttemptAsync(rakp3, wait)) return HandshakeEnd.Silent;
        Require(rakp3.Status, account);
        return Finish(transcript, rakp3, account);
    }

    HandshakeEnd Finish(RakpTranscript transcript, Rakp3Exchange rakp3, PortCredentials account)
    {
        var key = new byte[RakpTranscript.MaxHash];
        var length = transcript.SessionKey(account.DeviceKey.IsEmpty ? account.Password.Span : account.DeviceKey.Span, key);
        Span<byte> check = stackalloc byte[RakpTranscript.MaxHash];
        var checkLength = transcript.Rakp4Code(key.AsSpan(0, length), check);
        if (!CryptographicOperations.FixedTimeEquals(check[..checkLength], rakp3.CheckValue))
        {
            throw RefuseCredentials(account, account.DeviceKey.IsEmpty ? "the BMC has a key of its own (K_g), which is not known here" : "the BMC's own key (K_g) is another one");
        }
        var now = clock.GetTimestamp();
        lock (gate) session = new(transcript.Suite, transcript.ConsoleId, transcript.BmcId, key.AsSpan(0, length)) { LastUse = now, LastHeard = now };
        CryptographicOperations.ZeroMemory(key);
        return HandshakeEnd.Opened;
    }

    /// <summary>A session starts with the rights of a user; an account that may not be administrator is taken as operator, or as it is.</summary>
    async Task RaisePrivilegeAsync(IpmiSession opened)
    {
        foreach (var privilege in Privileges)
        {
            var exchange = new CommandExchange(new SetSessionPrivilege(privilege), NextSequence(), opened);
            if (!await ExchangeAsync(exchange, timings.Attempts))
            {
                DropSession();
                throw Silence("stopped answering after the session was open");
            }
            if (exchange.Code == CompletionCode.Ok) return;
        }
    }

    /// <summary>Asks outside a session how the BMC lets people in; null when its answer makes no sense. Runs on the owner's task only.</summary>
    public async Task<AuthenticationCapabilities?> AskForCapabilitiesAsync()
    {
        var request = new GetChannelAuthenticationCapabilities(IpmiPrivilege.Administrator);
        var discovery = new CommandExchange(request, NextSequence());
        if (!await ExchangeAsync(discovery, timings.Attempts)) throw Silence("does not answer");
        hasEverAnswered = true;
        return discovery.Code == CompletionCode.Ok && request.TryReadAnswer(discovery.Data.Span, out var capabilities) ? capabilities : null;
    }

    /// <summary>Whether the BMC would open a session with <paramref name="suite"/>; none is opened. Runs on the owner's task only.</summary>
    public async Task<bool> WouldOpenAsync(CipherSuite suite)
    {
        var (tag, consoleId) = NewIds();
        var open = new OpenSessionExchange(tag, consoleId, suite);
        return await ExchangeAsync(open, timings.Attempts) && open.Response.Status == RakpStatus.Ok && open.Response.Chose(suite);
    }

    /// <summary>Asks outside a session, once, whether anybody is there at all.</summary>
    async Task<bool> IsAliveAsync() =>
        await AttemptAsync(new CommandExchange(new GetChannelAuthenticationCapabilities(IpmiPrivilege.Administrator), NextSequence()), Stretch(timings.FirstWait));

    /// <summary>Turns a refusal into the exception that says what to do about it.</summary>
    void Require(RakpStatus status, PortCredentials account)
    {
        switch (status)
        {
            case RakpStatus.Ok: return;
            case RakpStatus.InsufficientResources or RakpStatus.InsufficientResourcesForRole:
                throw new DeviceException(DeviceFault.Busy, device, "all of the BMC's sessions are taken", isTransient: true);
            case RakpStatus.UnauthorizedName or RakpStatus.InvalidNameLength:
                throw RefuseCredentials(account, "the BMC does not know the account");
            case RakpStatus.UnauthorizedRole or RakpStatus.InvalidRole:
                throw RefuseCredentials(account, "the account may not be administrator");
            case RakpStatus.InvalidIntegrityCheckValue:
                throw RefuseCredentials(account, "the BMC says that the password is wrong");
            default:
                throw new DeviceException(DeviceFault.Refused, device, $"refused the session: {(Enum.IsDefined(status) ? status.ToString() : "status")} ({(byte)status:x2}h)", isTransient: true);
        }
    }

    static bool IsAboutSuite(RakpStatus status) => status is RakpStatus.NoCipherSuiteMatch or RakpStatus.InvalidAuthenticationAlgorithm or RakpStatus.InvalidIntegrityAlgorithm
        or RakpStatus.InvalidConfidentialityAlgorithm or RakpStatus.NoMatchingAuthenticationPayload or RakpStatus.NoMatchingIntegrityPayload;

    DeviceException RefuseCredentials(PortCredentials account, string message)
    {
        refused = message;
        LogRefused(device, account.User, message);
        return RefusedAccount(message);
    }

    DeviceException RefusedAccount(string message) => new(DeviceFault.CredentialsRefused, device, message, isTransient: false);

    static (byte Tag, uint ConsoleId) NewIds()
    {
        Span<byte> octets = stackalloc byte[5];
        RandomNumberGenerator.Fill(octets);
        // An id of zero would mean "no session".
        return (octets[4], BinaryPrimitives.ReadUInt32LittleEndian(octets) | 1);
    }

    void DropSession()
    {
        lock (gate)
        {
            LoseConsole("the session with the BMC is over");
            session?.Dispose();
            (session, early) = (null, null);
        }
    }

    /// <summary>Gives the session back without waiting for thanks.</summary>
    void CloseSession()
    {
        if (session is null) return;
        try
        {
            lock (gate) Send(outgoing.AsSpan(0, new CommandExchange(new CloseSession(session.BmcId), NextSequence(), session).Write(outgoing)));
        }
        catch (DeviceException)
        {
            // The BMC forgets the session by itself.
        }
        DropSession();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Device} refuses account {User}: {Reason}. It is not tried again until the account is changed")]
    partial void LogRefused(string device, string user, string reason);
}
