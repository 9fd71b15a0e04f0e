using GridAppliance.Api.Modules;

namespace GridAppliance.Tests.Modules;

public sealed class ModuleFolderTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("grid-module-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    void Write(string path, string content) => File.WriteAllText(Path.Combine(folder, path), content);

    string Problem() => ModuleFolder.TryRead(folder, out _, out _, out var problem) ? "" : problem;

    const string Good = """{ "name": "hello", "version": "1.0", "class": "greeter", /* for people */ "start": [ "run" ], }""";

    [Fact]
    public void A_folder_with_comments_in_its_manifest_is_read_and_its_program_is_executable()
    {
        Write("module.json", Good);
        Write("run", "x");
        Write("text", "y");
        Assert.True(ModuleFolder.TryRead(folder, out var manifest, out var files, out var problem), problem);
        Assert.Equal("hello", manifest.Name);
        Assert.Equal([("run", true), ("text", false)], files.Select(file => (file.Path, file.Executable)));
    }

    [Fact]
    public void What_is_wrong_with_a_folder_is_said()
    {
        Assert.Contains("there is no module.json", Problem());
        Write("module.json", Good);
        Assert.Contains("names run, which is not in the folder", Problem());
        Write("module.json", "{\n{");
        Assert.Contains("line 2", Problem());
        Write("module.json", Good.Replace("[ \"run\" ]", "[]"));
        Assert.Contains("start: 1 to 64 arguments", Problem());
        Write("module.json", Good);
        Write("run", "x");
        File.CreateSymbolicLink(Path.Combine(folder, "out"), "/etc/passwd");
        Assert.Contains("out is a link (to /etc/passwd)", Problem());
    }
}
