using GridAppliance.Cli;
using GridAppliance.Cli.Terminal;

return await CommandTree.Run(args, GridctlTerminal.OfProcess());
