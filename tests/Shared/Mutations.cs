namespace GridAppliance.Testing;

/// <summary>Damaged copies of a good message, the same ones on every run: for readers that must never throw on what a peer sent.</summary>
public static class Mutations
{
    /// <summary>How many times as many as a test asks for: <c>make soak</c> sets it, and the same damage comes first.</summary>
    static readonly int times = int.TryParse(Environment.GetEnvironmentVariable("GRID_SOAK"), out var asked) && asked > 0 ? asked : 1;

    /// <summary>Every proper prefix, shortest first.</summary>
    public static IEnumerable<byte[]> Truncations(byte[] message)
    {
        for (var length = 0; length < message.Length; length++) yield return message[..length];
    }

    /// <summary>Copies with one to eight octets changed: random values, the extremes, swapped neighbours, removed and doubled runs.</summary>
    public static IEnumerable<byte[]> Of(byte[] message, int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count * times; i++)
        {
            var copy = message.ToArray();
            for (var changes = random.Next(1, 9); changes > 0 && copy.Length > 1; changes--)
            {
                var at = random.Next(copy.Length);
                switch (random.Next(6))
                {
                    case 0: copy[at] = (byte)random.Next(256); break;
                    case 1: copy[at] = 0xFF; break;
                    case 2: copy[at] = 0; break;
                    case 3: copy[at] ^= (byte)(1 << random.Next(8)); break;
                    case 4: copy = [.. copy[..at], .. copy[Math.Min(copy.Length, at + random.Next(1, 5))..]]; break;
                    case 5: copy = [.. copy[..at], .. copy[at..Math.Min(copy.Length, at + random.Next(1, 9))], .. copy[at..]]; break;
                }
            }
            yield return copy;
        }
    }
}
