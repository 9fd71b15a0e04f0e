using GridAppliance.Cli;
using GridAppliance.Cli.Terminal;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>gridctl as a person has it: its standard streams are a terminal.</summary>
static class TerminalGridctl
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Ends when gridctl does; what it complains of is told when nothing is seen.</summary>
    public static async Task<int> RunAsync(ManagementPlaneHost plane, PseudoTerminal screen, params string[] arguments)
    {
        await using StringWriter output = new(), error = new();
        var terminal = new GridctlTerminal(output, error, TextReader.Null, interactive: true) { Raw = () => RawTerminal.Open(screen.Far, screen.Far) };
        try
        {
            return await Task.Run(() => CommandTree.Run([.. arguments, "--url", plane.Socket.ToString()!], terminal)).WaitAsync(Patience);
        }
        catch (Exception e)
        {
            screen.Complaint = e.ToString();
            throw;
        }
        finally
        {
            screen.Complaint += error.ToString();
        }
    }
}
