using System.Diagnostics;
using System.Text;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Tests.Power;

namespace GridAppliance.Benchmarks.Consoles;

/// <summary>The other process of <c>consoles record sol</c>: as many BMCs as there are consoles, each with sessions, ciphers and a serial line that says numbered lines, a packet at a time as IPMI has it.</summary>
static class SolFeed
{
    /// <summary>Two lines: what a BMC that waits 20 ms for more characters sends at 10 kB/s, and about what the usual BMC sends at most.</summary>
    const int LinesAtOnce = 2;

    static readonly TimeSpan BetweenPackets = TimeSpan.FromSeconds((double)LinesAtOnce * ConsoleFigures.LineLength / ConsoleFigures.BytesPerSecond);
    /// <summary>How long a BMC waits for an acknowledgement before it sends again.</summary>
    static readonly TimeSpan AckPatience = TimeSpan.FromMilliseconds(500);

    public const string User = "ADMIN", Password = "Pa55w0rd";

    public static async Task<int> RunAsync()
    {
        var bmcs = Enumerable.Range(0, ConsoleFigures.Consoles).Select(static _ => new ScriptedBmc { User = User, Password = Encoding.ASCII.GetBytes(Password) }).ToList();
        foreach (var bmc in bmcs) Console.WriteLine(bmc.Uri.OriginalString);
        while (bmcs.Any(static bmc => bmc.ConsoleSession == 0)) await Task.Delay(50);
        // What follows an activation is done with.
        await Task.Delay(TimeSpan.FromSeconds(2));
        Console.WriteLine("begins");
        var clock = Stopwatch.StartNew();
        var repeats = await Task.WhenAll(bmcs.Select((bmc, number) => FeedAsync(bmc, BetweenPackets * number / bmcs.Count, clock)));
        Console.WriteLine($"ends {Packets * LinesAtOnce} {repeats.Sum()}");
        await Task.Delay(TimeSpan.FromMinutes(2));
        return 0;
    }

    static int Packets => (int)(TimeSpan.FromSeconds(ConsoleFigures.Seconds) / BetweenPackets);

    /// <returns>How often a packet had to be sent again.</returns>
    static async Task<int> FeedAsync(ScriptedBmc bmc, TimeSpan offset, Stopwatch clock)
    {
        var (number, repeats) = ((byte)0, 0);
        var piece = new byte[LinesAtOnce * ConsoleFigures.LineLength];
        for (var packet = 0; packet < Packets; packet++)
        {
            if (offset + BetweenPackets * packet - clock.Elapsed is { Ticks: > 0 } ahead) await Task.Delay(ahead);
            for (var i = 0; i < LinesAtOnce; i++) ConsoleFigures.WriteLine(packet * LinesAtOnce + i, piece.AsSpan(i * ConsoleFigures.LineLength));
            number = SolPacket.Next(number);
            for (bmc.Say(number, piece); !await AcknowledgedAsync(bmc, number); repeats++) bmc.Say(number, piece);
        }
        return repeats;
    }

    static async Task<bool> AcknowledgedAsync(ScriptedBmc bmc, byte number)
    {
        using var patience = new CancellationTokenSource(AckPatience);
        try
        {
            while ((await bmc.Acknowledged.Reader.ReadAsync(patience.Token)).Number != number) { }
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
