using GridAppliance.Api.Client;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Consoles;

/// <summary>Plays a recorded console in its own time.</summary>
sealed class ConsoleReplay(GridctlTerminal terminal, TimeProvider time, double speed)
{
    /// <summary>A night of silence is not sat through again.</summary>
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    public async Task PlayAsync(IAsyncEnumerable<ConsolePiece> pieces, CancellationToken cancellation)
    {
        TimeSpan? before = null;
        await foreach (var piece in pieces.WithCancellation(cancellation))
        {
            var pause = (piece.At - (before ?? piece.At)) / speed;
            before = piece.At;
            if (pause > LongestPause) pause = LongestPause;
            if (pause >= TimeSpan.FromMilliseconds(1)) await Task.Delay(pause, time, cancellation);
            if (piece.IsMark) terminal.Line($"-- {piece.Text} --");
            else terminal.Flow(piece.Text);
        }
        terminal.Blank();
    }
}
