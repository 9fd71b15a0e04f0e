namespace GridAppliance.Boot.Http;

/// <summary>Something that answers on the boot plane: boot files and scripts here, the agent's calls elsewhere. Register as many as there are; each maps its own routes.</summary>
interface IBootPlaneEndpoints
{
    void Map(IEndpointRouteBuilder routes);
}
