using GridAppliance.Protocols.Addresses;
using Microsoft.AspNetCore.Connections;

namespace GridAppliance.Boot.Http;

/// <summary>How many connections one address may have at once. One beyond that is closed unread.</summary>
sealed class ConnectionLimit(int perAddress)
{
    readonly Dictionary<Ipv4Address, int> open = [];

    public ConnectionDelegate Around(ConnectionDelegate next) => async connection =>
    {
        var address = Ipv4Address.From((connection.RemoteEndPoint as System.Net.IPEndPoint)?.Address) ?? default;
        if (!TryEnter(address))
        {
            connection.Abort(new ConnectionAbortedException("too many connections from this address"));
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    };

    bool TryEnter(Ipv4Address address)
    {
        lock (open)
        {
            var count = open.GetValueOrDefault(address);
            if (count >= perAddress) return false;
            open[address] = count + 1;
            return true;
        }
    }

    void Leave(Ipv4Address address)
    {
        lock (open)
        {
            if (--open[address] == 0) open.Remove(address);
        }
    }
}
