using System.Buffers.Binary;
using System.Net.Sockets;

namespace GridAppliance.Web.Security;

/// <summary>Who is at the other end of a connection, as far as the kernel or a token says. Set once per connection, read as a feature of each request.</summary>
sealed record Caller(string Actor, CallerTrust Trust)
{
    // Linux, asm-generic/socket.h.
    const int SolSocket = 1;
    const int SoPeerCred = 17;

    public static Caller Of(HttpContext context) => context.Features.Get<Caller>() ?? throw new InvalidOperationException("a listener did not say who its callers are");

    /// <summary>The user at the other end of a unix socket, from the kernel (SO_PEERCRED, unix(7)).</summary>
    public static Caller OfUnixPeer(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        var uid = BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]);
        return new(UnixAccounts.NameOf(uid), CallerTrust.Kernel);
    }
}

enum CallerTrust
{
    /// <summary>The kernel vouches, and the socket's mode let it in.</summary>
    Kernel,
    /// <summary>Somebody on this machine, or a page in their browser: Host and Origin are looked at.</summary>
    Loopback,
    /// <summary>Anybody: takes a token.</summary>
    Network,
}
