using GridAppliance.Power;

namespace GridAppliance.Tests.Power;

public sealed class ScriptedBmcContractTests : PowerContract
{
    readonly BmcBench bench = new();
    readonly ScriptedBmc bmc = new();

    private protected override Task<IPrivilegedPort> OpenAsync() => Task.FromResult<IPrivilegedPort>(bench.Open(bmc));

    private protected override Task<IPrivilegedPort> OpenWithWrongPasswordAsync() => Task.FromResult<IPrivilegedPort>(bench.Open(bmc, password: "wrong"u8.ToArray()));

    public override async Task DisposeAsync()
    {
        await bmc.DisposeAsync();
        await bench.DisposeAsync();
    }
}
