namespace GridAppliance.Agent.Bmc;

/// <summary>The way to the machine's own BMC that needs no account.</summary>
interface IBmcDoor
{
    bool IsThere { get; }

    /// <returns>The answer, completion code first; empty when there was none.</returns>
    /// <exception cref="IOException">The door cannot be opened.</exception>
    byte[] Ask(byte netFn, byte command, ReadOnlySpan<byte> data);
}
