using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Protocols.Ipmi.Sol;

namespace GridAppliance.Tests.Power;

/// <summary>What a test lets the BMC do with a request that it has understood.</summary>
enum Reaction
{
    Answer,
    /// <summary>The request was lost on the way: nothing happens.</summary>
    Lose,
    /// <summary>It is carried out, and the answer is lost.</summary>
    LoseAnswer,
    AnswerTwice,
    /// <summary>The answer is kept back until <see cref="ScriptedBmc.Release"/>.</summary>
    Hold,
    /// <summary>It is answered, and the datagram kept for <see cref="ScriptedBmc.Replay"/>.</summary>
    Keep,
    /// <summary>The answer carries another session's id.</summary>
    WrongSession,
    /// <summary>The answer's last octet is changed.</summary>
    BadCode,
    /// <summary>The answer's completion code is "node busy", and nothing is carried out.</summary>
    Busy,
}

/// <summary>
/// A BMC built from the specification, on a UDP port of loopback: sessions with suites 0, 3, 15, 16 and 17, and enough commands to be managed. It keeps
/// state, logs what it was asked, and misbehaves as <see cref="Script"/> says.
/// </summary>
sealed class ScriptedBmc : IAsyncDisposable
{
    /// <summary>The name of a request in a session that the BMC does not have.</summary>
    public const string UnknownSession = "unknown session";
    /// <summary>The name of a console's packet from a session that does not have the console.</summary>
    public const string NotYourConsole = "not your console";
    /// <summary>The name of a presence ping.</summary>
    public const string Ping = "Ping";

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    readonly CancellationTokenSource stopping = new();
    readonly Channel<string> arrivals = Channel.CreateUnbounded<string>();
    readonly Dictionary<uint, Session> sessions = [];
    readonly List<(byte[] Datagram, EndPoint To)> held = [], kept = [];
    readonly Lock gate = new();
    readonly Task running;
    uint lastSession = 0x100;

    public ScriptedBmc(IPEndPoint? at = null)
    {
        socket.Bind(at ?? new(IPAddress.Loopback, 0));
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        State = new(this);
        running = Task.Run(RunAsync);
    }

    public IPEndPoint EndPoint { get; }
    public Uri Uri => new($"ipmi://{EndPoint}");
    public string User { get; set; } = "ADMIN";
    public byte[] Password { get; set; } = "Pa55w0rd"u8.ToArray();
    public byte[]? DeviceKey { get; set; }
    public List<CipherSuite> Suites { get; } = [CipherSuite.Sha1Aes, CipherSuite.Sha256SignInOnly, CipherSuite.Sha256SignedOnly, CipherSuite.Sha256Aes];
    /// <summary>Drops proposals that it does not know instead of refusing them, as some do.</summary>
    public bool IgnoresUnknownSuites { get; set; }
    public int MaxSessions { get; set; } = 4;
    /// <summary>How many requests came while the answer to another was still owed.</summary>
    public int Overlaps { get; private set; }
    /// <summary>Decides about each request by its name: OpenSession, Rakp1, Rakp3, or the command's NetFunction/code such as "Chassis/01".</summary>
    public Func<string, Reaction> Script { get; set; } = _ => Reaction.Answer;
    public ScriptedBmcState State { get; }
    /// <summary>Everything understood so far, by name, in order.</summary>
    public List<string> Log { get; } = [];
    public int OpenSessions { get { lock (gate) return sessions.Values.Count(s => s.IsOpen); } }

    /// <summary>A script that reacts once, to the first request of this name.</summary>
    public static Func<string, Reaction> Once(string name, Reaction reaction)
    {
        var done = false;
        return asked => asked == name && !done && (done = true) ? reaction : Reaction.Answer;
    }

    /// <summary>The next request that arrives, by name.</summary>
    public async Task<string> NextAsync() => await arrivals.Reader.ReadAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);

    /// <summary>Returns when <paramref name="count"/> more requests of this name have arrived.</summary>
    public async Task ArrivedAsync(string name, int count = 1)
    {
        while (count > 0) if (await NextAsync() == name) count--;
    }

    public int Count(string name) { lock (gate) return Log.Count(n => n == name); }

    /// <summary>Forgets every session, as a restart does; state stays.</summary>
    public void Reboot() { lock (gate) sessions.Clear(); }

    /// <summary>Sends what was held, in the order given by <paramref name="backwards"/>.</summary>
    public void Release(bool backwards = false)
    {
        lock (gate)
        {
            if (backwards) held.Reverse();
            foreach (var (datagram, to) in held) socket.SendTo(datagram, to);
            held.Clear();
        }
    }

    /// <summary>Sends again what was kept.</summary>
    public void Replay() { lock (gate) foreach (var (datagram, to) in kept) socket.SendTo(datagram, to); }

    /// <summary>Sends octets that nobody asked for to whoever spoke last.</summary>
    public void Blurt(byte[] datagram) { if (lastSender is { } to) socket.SendTo(datagram, to); }

    EndPoint? lastSender;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        socket.Dispose();
    }

    async Task RunAsync()
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stopping.Token);
                lastSender = received.RemoteEndPoint;
                lock (gate) Handle(buffer.AsSpan(0, received.ReceivedBytes), received.RemoteEndPoint);
            }
        }
        catch (OperationCanceledException) { }
    }

    void Handle(ReadOnlySpan<byte> datagram, EndPoint from)
    {
        if (AsfPresence.TryReadPing(datagram, out var tag, out _))
        {
            var reaction = Decide(Ping);
            if (reaction == Reaction.Lose) return;
            var pong = new byte[AsfPresence.PongLength];
            AsfPresence.WritePong(pong, new(tag, 4542, true));
            Reply(pong, from, reaction);
        }
        else if (Session15Packet.TryRead(datagram, out var legacy, out _)) HandleOutside(legacy.Message, from, plus: false);
        else if (RmcpPlusPacket.TryRead(datagram, out var packet, out _)) HandlePlus(packet, from);
    }

    void HandlePlus(in RmcpPlusPacket packet, EndPoint from)
    {
        switch (packet.Type)
        {
            case PayloadType.OpenSessionRequest: HandleOpen(packet, from); break;
            case PayloadType.Rakp1: HandleRakp1(packet, from); break;
            case PayloadType.Rakp3: HandleRakp3(packet, from); break;
            case PayloadType.IpmiMessage when packet.SessionId == 0: HandleOutside(packet.Payload, from, plus: true); break;
            case PayloadType.IpmiMessage: HandleInside(packet, from); break;
            case PayloadType.SerialOverLan: HandleSol(packet, from); break;
        }
    }

    void HandleOutside(ReadOnlySpan<byte> octets, EndPoint from, bool plus)
    {
        if (!IpmbMessage.TryRead(octets, out var message, out _) || message.IsAnswer) return;
        var reaction = Decide($"{message.Function}/{message.Command:x2}");
        if (reaction == Reaction.Lose) return;
        var answer = State.Answer(message.Function, message.Command, message.Data, outside: true);
        var datagram = new byte[256];
        var start = plus ? RmcpPlusPacket.HeaderLength : Session15Packet.Overhead;
        var length = IpmbMessage.WriteAnswer(datagram.AsSpan(start), message.Function, message.Command, message.Sequence, answer);
        Reply(datagram[..(plus ? RmcpPlusPacket.Wrap(datagram, PayloadType.IpmiMessage, length) : Session15Packet.Wrap(datagram, length))], from, reaction);
    }

    void HandleOpen(in RmcpPlusPacket packet, EndPoint from)
    {
        if (!OpenSessionRequest.TryRead(packet.Payload, out var request, out _)) return;
        var reaction = Decide("OpenSession");
        if (reaction == Reaction.Lose) return;
        var suite = Suites.Find(s => s.Authentication == request.Authentication && s.Integrity == request.Integrity && s.Confidentiality == request.Confidentiality);
        if (suite is null && IgnoresUnknownSuites) return;
        var consoleId = IdFor(request.ConsoleId, reaction);
        var status = suite is null ? RakpStatus.NoCipherSuiteMatch : sessions.Count >= MaxSessions ? RakpStatus.InsufficientResources : RakpStatus.Ok;
        var response = new OpenSessionResponse(request.Tag, status, IpmiPrivilege.Administrator, consoleId);
        if (status == RakpStatus.Ok)
        {
            var session = new Session { Suite = suite!, ConsoleId = request.ConsoleId, BmcId = ++lastSession };
            sessions[session.BmcId] = session;
            response = response with { BmcId = session.BmcId, Authentication = request.Authentication, Integrity = request.Integrity, Confidentiality = request.Confidentiality };
        }
        Reply(Wrap(PayloadType.OpenSessionResponse, p => response.Write(p)), from, reaction);
    }

    void HandleRakp1(in RmcpPlusPacket packet, EndPoint from)
    {
        if (!Rakp1.TryRead(packet.Payload, out var request, out _)) return;
        var reaction = Decide("Rakp1");
        if (reaction == Reaction.Lose) return;
        var (tag, consoleId) = (request.Tag, 0u);
        if (!sessions.TryGetValue(request.BmcId, out var session) || !request.Name.SequenceEqual(Encoding.ASCII.GetBytes(User)))
        {
            var status = session is null ? RakpStatus.InvalidSessionId : RakpStatus.UnauthorizedName;
            consoleId = session?.ConsoleId ?? 0;
            sessions.Remove(request.BmcId);
            Reply(Wrap(PayloadType.Rakp2, p => new Rakp2 { Tag = tag, Status = status, ConsoleId = consoleId }.Write(p)), from, reaction);
            return;
        }
        var random = RandomNumberGenerator.GetBytes(RakpTranscript.RandomLength);
        session.Transcript = new(session.Suite, session.ConsoleId, session.BmcId, request.ConsoleRandom, random, State.Guid, request.Role, request.Name);
        var code = new byte[RakpTranscript.MaxHash];
        var length = session.Transcript.Rakp2Code(Password, code);
        Reply(Wrap(PayloadType.Rakp2, p => new Rakp2 { Tag = tag, ConsoleId = IdFor(session.ConsoleId, reaction), BmcRandom = random, BmcGuid = State.Guid, AuthenticationCode = code.AsSpan(0, length) }.Write(p)), from, reaction);
    }

    void HandleRakp3(in RmcpPlusPacket packet, EndPoint from)
    {
        var reaction = Decide("Rakp3");
        if (reaction == Reaction.Lose || packet.Payload.Length < 8) return;
        var bmcId = BitConverter.ToUInt32(packet.Payload[4..8]);
        if (!sessions.TryGetValue(bmcId, out var session) || session.Transcript is null || !Rakp3.TryRead(packet.Payload, session.Suite, out var request, out _)) return;
        var (tag, code) = (request.Tag, new byte[RakpTranscript.MaxHash]);
        var length = session.Transcript.Rakp3Code(Password, code);
        if (!request.AuthenticationCode.SequenceEqual(code.AsSpan(0, length)))
        {
            State.BadPasswords++;
            sessions.Remove(bmcId);
            Reply(Wrap(PayloadType.Rakp4, p => new Rakp4 { Tag = tag, Status = RakpStatus.InvalidIntegrityCheckValue, ConsoleId = session.ConsoleId }.Write(p)), from, reaction);
            return;
        }
        length = session.Transcript.SessionKey(DeviceKey ?? Password, code);
        session.Cipher = new(session.Suite, code.AsSpan(0, length));
        var check = new byte[RakpTranscript.MaxHash];
        var checkLength = session.Transcript.Rakp4Code(code.AsSpan(0, length), check);
        Reply(Wrap(PayloadType.Rakp4, p => new Rakp4 { Tag = tag, ConsoleId = IdFor(session.ConsoleId, reaction), CheckValue = check.AsSpan(0, checkLength) }.Write(p)), from, reaction);
    }

    void HandleInside(in RmcpPlusPacket packet, EndPoint from)
    {
        // As a BMC does: a session that is not known, or a packet that is not genuine, gets no answer.
        if (!sessions.TryGetValue(packet.SessionId, out var session) || session.Cipher is null)
        {
            Decide(UnknownSession);
            return;
        }
        var clear = new byte[packet.Payload.Length];
        if (!session.Cipher.TryOpen(packet, clear, out var length, out _) || !session.Window.TryTake(packet.Sequence)) return;
        if (!IpmbMessage.TryRead(clear.AsSpan(0, length), out var message, out _)) return;
        var reaction = Decide($"{message.Function}/{message.Command:x2}");
        if (reaction == Reaction.Lose) return;
        var answer = reaction == Reaction.Busy ? [(byte)CompletionCode.NodeBusy]
            : message is { Function: NetFunction.App, Command: 0x48 or 0x49 or 0x4A or 0x4B } && !State.Unsupported.Contains($"{message.Function}/{message.Command:x2}") ? AnswerSol(message, packet.SessionId) : State.Answer(message.Function, message.Command, message.Data, outside: false);
        var octets = new byte[256];
        var messageLength = IpmbMessage.WriteAnswer(octets, message.Function, message.Command, message.Sequence, answer);
        var datagram = new byte[512];
        var total = session.Cipher.Seal(datagram, PayloadType.IpmiMessage, IdFor(session.ConsoleId, reaction), ++session.Sent, octets.AsSpan(0, messageLength), RandomNumberGenerator.GetBytes(16));
        Reply(datagram[..total], from, reaction);
        if (message is { Function: NetFunction.App, Command: 0x3C }) sessions.Remove(packet.SessionId);
    }

    /// <summary>The serial port: what was typed, and who has it. The script is asked with the name Sol.</summary>
    public List<byte> Typed { get; } = [];
    public int Breaks { get; private set; }
    /// <summary>Characters that the port takes of one packet.</summary>
    public int TypedLimit { get; set; } = 255;
    public uint ConsoleSession { get; private set; }
    /// <summary>Says nothing to a console's packet without characters, as some do.</summary>
    public bool IgnoresEmptyPackets { get; set; }
    /// <summary>Acknowledgements of what the node said: packet number and characters.</summary>
    public Channel<(byte Number, byte Accepted)> Acknowledged { get; } = Channel.CreateUnbounded<(byte, byte)>();
    byte typedNumber;

    /// <summary>Another takes the console and nobody is told.</summary>
    public void StealConsole() { lock (gate) ConsoleSession = 0xDEAD; }

    /// <summary>The console is nobody's any more, and nobody is told.</summary>
    public void DropConsole() { lock (gate) ConsoleSession = 0; }

    /// <summary>The node says something, in a packet of this number.</summary>
    public void Say(byte number, ReadOnlySpan<byte> characters, SolCondition condition = SolCondition.None)
    {
        var payload = new byte[SolPacket.HeaderLength + characters.Length];
        new SolPacket { Sequence = number, Flags = (byte)condition, Characters = characters }.Write(payload);
        lock (gate) SendSol(sessions[ConsoleSession], payload, lastSender!, Reaction.Answer);
    }

    void HandleSol(in RmcpPlusPacket packet, EndPoint from)
    {
        if (!sessions.TryGetValue(packet.SessionId, out var session) || session.Cipher is null) return;
        if (ConsoleSession != session.BmcId)
        {
            Decide(NotYourConsole);
            return;
        }
        var clear = new byte[packet.Payload.Length];
        if (!session.Cipher.TryOpen(packet, clear, out var length, out _) || !session.Window.TryTake(packet.Sequence)) return;
        if (!SolPacket.TryRead(clear.AsSpan(0, length), out var sol, out _)) return;
        if (sol.Acknowledged != 0) Acknowledged.Writer.TryWrite((sol.Acknowledged, sol.Accepted));
        if (sol.Sequence == 0) return;
        var reaction = Decide("Sol");
        if (reaction == Reaction.Lose || IgnoresEmptyPackets && sol.Characters.IsEmpty && (sol.Operation & SolOperation.Break) == 0) return;
        var taken = Math.Min(sol.Characters.Length, TypedLimit);
        if (sol.Sequence != typedNumber)
        {
            Typed.AddRange(sol.Characters[..taken]);
            if ((sol.Operation & SolOperation.Break) != 0) Breaks++;
        }
        typedNumber = sol.Sequence;
        var reply = new byte[SolPacket.HeaderLength];
        new SolPacket { Acknowledged = sol.Sequence, Accepted = (byte)taken, Flags = (byte)(taken < sol.Characters.Length ? SolCondition.Nack : 0) }.Write(reply);
        SendSol(session, reply, from, reaction);
    }

    void SendSol(Session session, byte[] payload, EndPoint to, Reaction reaction)
    {
        var datagram = new byte[512];
        Reply(datagram[..session.Cipher!.Seal(datagram, PayloadType.SerialOverLan, session.ConsoleId, ++session.Sent, payload, RandomNumberGenerator.GetBytes(16))], to, reaction);
    }

    byte[] AnswerSol(in IpmbMessage message, uint sessionId)
    {
        switch (message.Command)
        {
            case 0x48:
                if (ConsoleSession != 0 && ConsoleSession != sessionId) return [0x80];
                ConsoleSession = sessionId;
                return [0, 0, 0, 0, 0, 0x20, 0, 0xFF, 0, (byte)EndPoint.Port, (byte)(EndPoint.Port >> 8), 0xFF, 0xFF];
            case 0x49:
                ConsoleSession = 0;
                return [0];
            case 0x4A:
                return [0, 1, (byte)(ConsoleSession == 0 ? 0 : 1), 0];
            default:
                return [0, .. BitConverter.GetBytes(ConsoleSession), 1, 0, 0, 0, 0, 0, 0, 0];
        }
    }

    static uint IdFor(uint consoleId, Reaction reaction) => reaction == Reaction.WrongSession ? consoleId + 2 : consoleId;

    Reaction Decide(string name)
    {
        Log.Add(name);
        if (held.Count > 0) Overlaps++;
        var reaction = Script(name);
        arrivals.Writer.TryWrite(name);
        return reaction;
    }

    void Reply(byte[] datagram, EndPoint to, Reaction reaction)
    {
        switch (reaction)
        {
            case Reaction.Answer or Reaction.WrongSession or Reaction.Busy: socket.SendTo(datagram, to); break;
            case Reaction.Keep: kept.Add((datagram, to)); socket.SendTo(datagram, to); break;
            case Reaction.AnswerTwice: socket.SendTo(datagram, to); socket.SendTo(datagram, to); break;
            case Reaction.Hold: held.Add((datagram, to)); break;
            case Reaction.BadCode: datagram[^1] ^= 0x55; socket.SendTo(datagram, to); break;
            case Reaction.Lose or Reaction.LoseAnswer: break;
        }
    }

    static byte[] Wrap(PayloadType type, Func<byte[], int> write)
    {
        var payload = new byte[128];
        var length = write(payload);
        byte[] datagram = [.. new byte[RmcpPlusPacket.HeaderLength], .. payload[..length]];
        RmcpPlusPacket.Wrap(datagram, type, length);
        return datagram;
    }

    sealed class Session
    {
        public required CipherSuite Suite { get; init; }
        public required uint ConsoleId { get; init; }
        public required uint BmcId { get; init; }
        public RakpTranscript? Transcript { get; set; }
        public SessionCipher? Cipher { get; set; }
        public SequenceWindow Window;
        public uint Sent { get; set; }
        public bool IsOpen => Cipher is not null;
    }
}
