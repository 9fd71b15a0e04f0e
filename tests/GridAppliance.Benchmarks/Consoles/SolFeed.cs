using System.Diagnostics;
using System.Text;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Tests.Power;

namespace GridAppliance.Benchmarks.Consoles;

/// <summary>
/// The other process of <c>consoles record sol</c>: as many BMCs as there are consoles, each with sessions, ciphers and a serial line that says numbered lines at an even pace. As IPMI 2.0 has it (section 15.11 and
/// table 26-5, parameter 3), a BMC sends when as many characters have come as it is set to send at, has one packet under way, and gathers characters until that is acknowledged, of which 255 fit into the next.
/// </summary>
static class SolFeed
{
    /// <summary>How long a BMC waits for an acknowledgement before it sends again: what AMI's firmware comes with, beside a threshold of 96 characters. Dell's is set to 255, OpenBMC's to 1.</summary>
    static readonly TimeSpan AckPatience = TimeSpan.FromMilliseconds(500);

    const int Total = ConsoleFigures.Seconds * ConsoleFigures.BytesPerSecond;

    public const string User = "ADMIN", Password = "Pa55w0rd";

    /// <param name="threshold">Character send threshold, 1 to 255.</param>
    public static async Task<int> RunAsync(int threshold)
    {
        var bmcs = Enumerable.Range(0, ConsoleFigures.Consoles).Select(static _ => new ScriptedBmc { User = User, Password = Encoding.ASCII.GetBytes(Password) }).ToList();
        foreach (var bmc in bmcs) Console.WriteLine(bmc.Uri.OriginalString);
        while (bmcs.Any(static bmc => bmc.ConsoleSession == 0)) await Task.Delay(50);
        // What follows an activation is done with.
        await Task.Delay(TimeSpan.FromSeconds(2));
        var said = new byte[Total];
        for (var line = 0; line < Total / ConsoleFigures.LineLength; line++) ConsoleFigures.WriteLine(line, said.AsSpan(line * ConsoleFigures.LineLength));
        Console.WriteLine("begins");
        var clock = Stopwatch.StartNew();
        var sums = await Task.WhenAll(bmcs.Select((bmc, number) => FeedAsync(bmc, said, threshold, Time(threshold) * number / bmcs.Count, clock)));
        Console.WriteLine($"ends {Total / ConsoleFigures.LineLength} {sums.Sum(static sum => sum.Packets)} packets, {sums.Sum(static sum => sum.Repeats)} of them repeated");
        await Task.Delay(TimeSpan.FromMinutes(2));
        return 0;
    }

    /// <summary>How long a line takes to say so many characters.</summary>
    static TimeSpan Time(int characters) => TimeSpan.FromSeconds((double)characters / ConsoleFigures.BytesPerSecond);

    static async Task<(int Packets, int Repeats)> FeedAsync(ScriptedBmc bmc, byte[] said, int threshold, TimeSpan offset, Stopwatch clock)
    {
        var (number, packets, repeats) = ((byte)0, 0, 0);
        for (var sent = 0; sent < Total;)
        {
            var enough = Math.Min(sent + threshold, Total);
            if (offset + Time(enough) - clock.Elapsed is { Ticks: > 0 } ahead) await Task.Delay(ahead);
            var come = (int)Math.Clamp((clock.Elapsed - offset).TotalSeconds * ConsoleFigures.BytesPerSecond, enough, Total);
            var piece = said.AsMemory(sent..Math.Min(come, sent + byte.MaxValue));
            number = SolPacket.Next(number);
            packets++;
            for (bmc.Say(number, piece.Span); !await AcknowledgedAsync(bmc, number); packets++, repeats++) bmc.Say(number, piece.Span);
            sent += piece.Length;
        }
        return (packets, repeats);
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
