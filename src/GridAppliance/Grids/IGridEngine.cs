using GridAppliance.Nodes;

namespace GridAppliance.Grids;

/// <summary>
/// What takes requests from outside and passes them to workers: one folder of modules, and one class like this. Everything that it needs of the appliance comes through here; docs/grids.md writes
/// the other half down, which is the module's.
/// </summary>
interface IGridEngine
{
    /// <summary>As in <c>gridctl grid create --engine</c>.</summary>
    string Name { get; }

    /// <summary>The root image that its nodes run.</summary>
    string Image { get; }

    /// <summary>The module of the catalogue that a member of this role has; it has the programs told, state, drain and request.</summary>
    string ModuleOf(GridRole role);

    /// <summary>Secrets that all members of one grid share, by the file that each is in; made by the appliance.</summary>
    IReadOnlyList<string> Secrets { get; }

    /// <summary>Of these, the ones that a member of this role is given.</summary>
    IReadOnlyList<string> SecretsOf(GridRole role) => Secrets;

    /// <summary>What lets a program ask this engine without the appliance in between; null where it has no such door. Pure.</summary>
    /// <param name="master">Who is asked.</param>
    /// <param name="secret">One of <see cref="Secrets"/>.</param>
    /// <param name="now">From when it is good.</param>
    /// <param name="until">Until when.</param>
    GridPass? PassFor(Node master, Func<string, byte[]> secret, DateTimeOffset now, DateTimeOffset until) => null;

    /// <summary>Why these nodes cannot be this engine's, or null.</summary>
    string? Refusal(IReadOnlyList<Node> masters, IReadOnlyList<Node> workers);

    /// <summary>What a master has to be told of its workers, and a worker of its master: the files of the whole truth, each time. Pure.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="role">The one who is told.</param>
    /// <param name="masters">Nodes that it has.</param>
    /// <param name="workers">Nodes that the master may count on.</param>
    IReadOnlyDictionary<string, string> Tell(Grid grid, GridRole role, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers);
}

/// <param name="Url">Where the engine answers.</param>
/// <param name="Headers">What every request has to carry; whoever has them may ask until they are too old.</param>
/// <param name="Try">A path that is worth a first question.</param>
sealed record GridPass(string Url, IReadOnlyDictionary<string, string> Headers, string Try);
