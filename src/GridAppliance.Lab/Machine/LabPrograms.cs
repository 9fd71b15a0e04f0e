namespace GridAppliance.Lab.Machine;

/// <summary>Where this repository's own programs and the boot files stand.</summary>
sealed record LabPrograms
{
    public required string Gridappliance { get; init; }
    public required string Gridctl { get; init; }
    public required string Gridlab { get; init; }
    /// <summary>A folder for each node image: loaders, kernel, image and their manifest, as <c>make image</c> leaves them.</summary>
    public required string Images { get; init; }
    /// <summary>How long the last lab's boots took; kept beside the build, not in the lab, which leaves no file.</summary>
    public required string Figures { get; init; }

    public string BootFilesOf(LabImage image) => Path.Combine(Images, image.Profile());

    /// <summary>Finds them from where gridlab itself stands: the programs beside it (<c>make programs</c>), or those of the same configuration in the same tree.</summary>
    /// <exception cref="LabException">gridlab does not stand in a built tree.</exception>
    public static LabPrograms Built() => BuiltBeside(AppContext.BaseDirectory);

    /// <param name="directory">Such as <c>artifacts/programs</c> or <c>src/GridAppliance.Lab/bin/Release/net10.0</c>.</param>
    public static LabPrograms BuiltBeside(string directory)
    {
        var output = new DirectoryInfo(directory);
        var root = output;
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "GridAppliance.sln"))) root = root.Parent;
        if (root is null) throw new LabException($"gridlab runs from a build of the repository, and {directory} is not in one: run 'sudo make lab' there.");
        var configuration = output.Parent!.Name;
        string Built(string project, string program) => Path.Combine(output.FullName, program) is var beside && File.Exists(beside) ? beside : Path.Combine(root.FullName, "src", project, "bin", configuration, output.Name, program);
        return new LabPrograms
        {
            Gridappliance = Built("GridAppliance", "gridappliance"),
            Gridctl = Built("GridAppliance.Cli", "gridctl"),
            Gridlab = Built("GridAppliance.Lab", "gridlab"),
            Images = Path.Combine(root.FullName, "artifacts", "image"),
            Figures = Path.Combine(root.FullName, "artifacts", "lab-figures.json"),
        };
    }
}
