using System.Reflection;

namespace GridAppliance.Establish;

/// <summary>As whom a script runs on a machine.</summary>
enum RemoteRights
{
    /// <summary>The account itself.</summary>
    Account,
    /// <summary>The account is root.</summary>
    Root,
    /// <summary>sudo asks for nothing.</summary>
    FreeSudo,
    /// <summary>sudo wants a password: the first line of what is sent.</summary>
    Sudo,
}

/// <summary>
/// A script of ours, word for word: nothing is ever put into it. What it needs to know it reads from its standard input, so no string of anybody's is read by a shell as code.
/// </summary>
sealed class RemoteScript
{
    readonly string text;

    RemoteScript(string name)
    {
        Name = name;
        // The launcher of modules is the node image's own.
        text = Read($"{name}.sh").Replace("@grid-run@\n", Read("grid-run"), StringComparison.Ordinal).Replace("@whose@\n", Read("whose.sh"), StringComparison.Ordinal);
    }

    public string Name { get; }

    /// <summary>What the machine is, and, where the account is root, whose agent is there. Reads lines of "ADDRESS PORT": where the appliance could be reached.</summary>
    public static RemoteScript Look { get; } = new("look");
    /// <summary>Whose agent is there; needs root, and so shows that there is root to be had. Where the account is root, <see cref="Look"/> has told it.</summary>
    public static RemoteScript Whose { get; } = new("whose");
    /// <summary>Puts the agent in place. Reads "DIGEST SIZE", then that many octets.</summary>
    public static RemoteScript Copy { get; } = new("copy");
    /// <summary>Makes it a service. Reads operation, URL, fingerprint, token and MAC, a line each.</summary>
    public static RemoteScript Configure { get; } = new("configure");
    /// <summary>How the service is, for people.</summary>
    public static RemoteScript Tell { get; } = new("tell");
    /// <summary>Takes away what one operation put there. Reads that operation.</summary>
    public static RemoteScript Remove { get; } = new("remove");

    /// <summary>What SSH passes to the account's own shell: one constant for each script and kind of rights.</summary>
    public string CommandFor(RemoteRights rights) => rights switch
    {
        RemoteRights.Account or RemoteRights.Root => $"exec /bin/sh -c {Quoted}",
        RemoteRights.FreeSudo => $"exec sudo -n -- /bin/sh -c {Quoted}",
        // -k: what an earlier sudo remembered does not count, so that the password is read from here whatever happened before.
        RemoteRights.Sudo => $"exec sudo -k -S -p '' -- /bin/sh -c {Quoted}",
    };

    static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"establish/{name}") ?? throw new InvalidOperationException($"there is no script called {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    string Quoted => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    public override string ToString() => Name;
}
