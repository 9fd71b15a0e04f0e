using System.Runtime.InteropServices;
using GridAppliance.Lab;
using GridAppliance.Lab.Commands;
using GridAppliance.Lab.Machine;

using var interrupted = new CancellationTokenSource();
void Interrupt(PosixSignalContext signal)
{
    signal.Cancel = true;
    interrupted.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);

try
{
    var commands = new LabCommands(LabArguments.Parse(args), LabPrograms.Built(), Terminal.OfThisProcess(), TimeProvider.System);
    return await commands.RunAsync(interrupted.Token);
}
catch (LabException problem)
{
    Console.Error.WriteLine($"gridlab: {problem.Message}");
    return 1;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    Console.Error.WriteLine("gridlab: interrupted. 'sudo make lab-down' removes whatever is up.");
    return 130;
}
