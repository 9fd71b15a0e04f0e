using System.Security.Cryptography;
using GridAppliance.Agents;
using GridAppliance.Hosting;

namespace GridAppliance.Grids;

/// <summary>
/// What the members of a grid share and nobody else may know: made here, kept in files that only the daemon may read, given to members' agents alone, sealed. Never in the store, an order,
/// or on a command line.
/// </summary>
sealed class GridSecrets(ApplianceOptions options, GridDirectory grids) : ISecretSource
{
    /// <summary>Munge takes 32 to 1,024 octets.</summary>
    const int Length = 128;

    public byte[]? Find(AgentOrder order, string name) => grids.Of(order.NodeId) is { } grid ? Read(grid.Id, name) : null;

    public byte[]? Read(Guid grid, string name) => File.Exists(PathOf(grid, name)) ? File.ReadAllBytes(PathOf(grid, name)) : null;

    /// <summary>Makes those that are not there.</summary>
    public void Make(Guid grid, IEnumerable<string> names)
    {
        Directory.CreateDirectory(FolderOf(grid), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var path in names.Select(name => PathOf(grid, name)).Where(path => !File.Exists(path)))
        {
            using (var file = new FileStream(path + ".new", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                file.Write(RandomNumberGenerator.GetBytes(Length));
                file.Flush(flushToDisk: true);
            }
            File.Move(path + ".new", path);
        }
    }

    public void Forget(Guid grid)
    {
        if (Directory.Exists(FolderOf(grid))) Directory.Delete(FolderOf(grid), recursive: true);
    }

    string FolderOf(Guid grid) => Path.Combine(options.DataDir, "grids", grid.ToString());

    /// <summary>Names are engines' own words: what a node asks for is held against its order first (<see cref="OrderSecrets"/>).</summary>
    string PathOf(Guid grid, string name) => Path.Combine(FolderOf(grid), name);
}
