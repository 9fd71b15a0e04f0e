using GridAppliance.Native;

namespace GridAppliance.Consoles.Serial;

/// <summary>A console on a serial line of the appliance's own machine (<c>serial:///dev/ttyS1?speed=9600</c>).</summary>
sealed class SerialConsolePort(string path, SerialSettings settings, TimeProvider time) : IConsolePort
{
    public string Name => $"serial://{path}{settings.ToQuery()}";

    public Task<IConsole> OpenAsync(CancellationToken cancellationToken) => Task.FromResult<IConsole>(new SerialLine(path, Libc.OpenSerial(path, settings), time));
}
