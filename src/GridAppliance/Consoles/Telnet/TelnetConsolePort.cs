using System.Net;
using GridAppliance.Consoles.Serial;
using GridAppliance.Consoles.Tcp;

namespace GridAppliance.Consoles.Telnet;

/// <summary>A console server's port that speaks telnet with the COM-PORT option (RFC 2217): the line's settings and a break go through it (<c>telnet+rfc2217://HOST:PORT?speed=9600</c>).</summary>
sealed class TelnetConsolePort(EndPoint endPoint, SerialSettings settings, TimeProvider time) : IConsolePort
{
    public string Name => $"telnet+rfc2217://{endPoint}{settings.ToQuery()}";

    public async Task<IConsole> OpenAsync(CancellationToken cancellationToken)
    {
        var console = new TelnetConsole(await ConsoleSocket.ConnectAsync(endPoint, cancellationToken), settings, time);
        try
        {
            await console.GreetAsync(cancellationToken);
            return console;
        }
        catch
        {
            await console.DisposeAsync();
            throw;
        }
    }
}
