namespace GridAppliance.Switches.Snmp;

/// <summary>
/// How many rows to ask a device for at once. Starts modest, grows while answers come whole and small, and shrinks when they are cut, too big, or do not
/// come. Guesses from the size of what came, so that one answer is enough to find the right number.
/// </summary>
sealed class BulkSize(SnmpTimings timings)
{
    int rows = timings.FirstBulk;

    public int Rows => Volatile.Read(ref rows);

    /// <param name="asked">Rows asked for.</param>
    /// <param name="got">Rows in the answer.</param>
    /// <param name="octets">Its size.</param>
    public void Answered(int asked, int got, int octets)
    {
        if (got == 0) return;
        // An agent that sends fewer than asked for has met its own limit: no use asking for more.
        var fitting = got < asked ? got : Math.Min(asked * 2, timings.ComfortableAnswer * got / Math.Max(1, octets));
        Volatile.Write(ref rows, Math.Clamp(fitting, 1, timings.LargestBulk));
    }

    /// <summary>The agent said tooBig, or nothing.</summary>
    public void Choked(int asked) => Volatile.Write(ref rows, Math.Max(1, asked / 2));
}
