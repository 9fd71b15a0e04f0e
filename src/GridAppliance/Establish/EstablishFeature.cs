using GridAppliance.Operations;

namespace GridAppliance.Establish;

static class EstablishFeature
{
    /// <summary>Machines that have an operating system become nodes, over SSH.</summary>
    public static void AddEstablish(this IServiceCollection services)
    {
        services.AddSingleton<SshFolder>();
        services.AddSingleton<HostKeyPins>();
        services.AddSingleton<IMachineDoor, SshDoor>();
        services.AddSingleton<LentCredentials>();
        services.AddSingleton<MachineSurveyor>();
        services.AddSingleton<EstablishRequests>();
        services.AddSingleton<ApplianceMachine>();
        services.AddSingleton<IOperationKind, EstablishMachine>();
    }
}
