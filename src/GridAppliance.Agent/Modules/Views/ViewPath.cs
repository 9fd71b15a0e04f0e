namespace GridAppliance.Agent.Modules.Views;

/// <summary>Paths as a program sees them whose root is a folder: symbolic links, absolute ones too, lead nowhere but below it.</summary>
static class ViewPath
{
    const int MostLinks = 40;

    /// <summary>Where <paramref name="path"/> (absolute, within the view) is for the agent. The last part is not followed; parts that are not there are taken as they stand.</summary>
    /// <exception cref="IOException">Links lead in a circle.</exception>
    public static string Resolve(string root, string path)
    {
        var left = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var done = new List<string>();
        var links = 0;
        while (left.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                if (done.Count > 0) done.RemoveAt(done.Count - 1);
                continue;
            }
            var here = Path.Combine([root, .. done, part]);
            if (left.Count > 0 && new FileInfo(here).LinkTarget is { } target)
            {
                if (++links > MostLinks) throw new IOException($"{path} goes through too many symbolic links");
                if (target.StartsWith('/')) done.Clear();
                foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) left.Push(step);
                continue;
            }
            done.Add(part);
        }
        return Path.Combine([root, .. done]);
    }

    /// <summary>As <see cref="Resolve"/>, the last part followed too: for places that must be folders or files whatever they are called.</summary>
    public static string ResolveWhole(string root, string path) => Path.GetDirectoryName(Resolve(root, path + "/x"))!;
}
