using GridAppliance.Cli;
using GridAppliance.Cli.Terminal;

return await CommandLine.Run(args, GridctlTerminal.OfProcess());
