namespace GridAppliance.Consoles;

/// <summary>An open line to a node's console: octets both ways. One reader and one writer at a time; both belong to the console's session.</summary>
interface IConsole : IAsyncDisposable
{
    /// <summary>Waits for octets from the node.</summary>
    /// <returns>How many were read; 0 when the line was closed from the other side.</returns>
    /// <exception cref="IOException">The line is lost.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Types at the node. Returns when all of it was taken over by the port.</summary>
    /// <exception cref="IOException">The line is lost.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken);
}

/// <summary>A console that can send a serial break (the line held low), which Linux takes for SysRq and OpenFirmware for "stop".</summary>
interface ISerialBreak
{
    ValueTask SendBreakAsync(CancellationToken cancellationToken);
}

/// <summary>A console that can tell the far end how large the terminal is (telnet's NAWS); a bare serial line cannot.</summary>
interface IWindowSize
{
    /// <summary>Told at once, or as soon as the far end wants to know.</summary>
    /// <exception cref="IOException">The line is lost.</exception>
    ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellationToken);
}

/// <summary>A terminal's window, in characters.</summary>
readonly record struct TerminalSize(ushort Columns, ushort Rows);

/// <summary>A way to one node's console. Opening it again after a loss is the session's business, not the driver's.</summary>
interface IConsolePort
{
    /// <summary>For people: <c>tcp://127.0.0.1:7001</c>.</summary>
    string Name { get; }

    /// <exception cref="IOException">It cannot be opened now.</exception>
    Task<IConsole> OpenAsync(CancellationToken cancellationToken);
}
