namespace GridAppliance.Consoles.Record;

/// <summary>One piece of a console's record.</summary>
/// <param name="At">When it reached the appliance.</param>
/// <param name="Octets">What the node sent, for output; UTF-8 text for a mark.</param>
readonly record struct ConsoleEntry(ConsoleEntryKind Kind, DateTimeOffset At, ReadOnlyMemory<byte> Octets);

/// <summary>Numbers are on disk: they never change.</summary>
enum ConsoleEntryKind : byte
{
    /// <summary>Octets from the node. What people type is not kept: it may be a password, and what the node echoes is output.</summary>
    Output = 1,
    /// <summary>The appliance's own words: the port was opened, lost, taken over; a gap.</summary>
    Mark = 2,
}
