namespace GridAppliance.Operations;

/// <summary>How the rest of the daemon says that something an operation waits for may have come: at worst a step looks once too often.</summary>
sealed class OperationPokes
{
    public event Action<Guid>? Poked;

    public void Poke(Guid operationId) => Poked?.Invoke(operationId);
}
