namespace GridAppliance.Lab;

/// <summary>Speaks to whoever started gridlab: on a terminal a block of lines is drawn over and over in place, elsewhere each line is written when it changes.</summary>
sealed class Terminal(TextWriter output, bool isTerminal)
{
    IReadOnlyList<string> block = [];

    public static Terminal OfThisProcess() => new(Console.Out, !Console.IsOutputRedirected);

    public void Say(string line = "")
    {
        block = [];
        output.WriteLine(line);
        output.Flush();
    }

    /// <param name="lines">As many as in the call before; <see cref="Say"/> begins a new block.</param>
    /// <param name="live">A last line that is worth showing in place only, such as a countdown.</param>
    public void Draw(IReadOnlyList<string> lines, string live)
    {
        if (isTerminal)
        {
            IReadOnlyList<string> all = [.. lines, live];
            if (block.Count > 0) output.Write($"\e[{block.Count}A");
            foreach (var line in all) output.Write($"\r{line}\e[K\n");
            block = all;
        }
        else
        {
            foreach (var (line, index) in lines.Select((line, index) => (line, index)))
                if (index >= block.Count || block[index] != line) output.WriteLine(line);
            block = lines;
        }
        output.Flush();
    }
}
