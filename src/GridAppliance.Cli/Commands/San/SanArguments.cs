using System.CommandLine;

namespace GridAppliance.Cli.Commands.San;

static class SanArguments
{
    public static Argument<string> Fabric() => new("FABRIC") { Description = "Its name." };
}
