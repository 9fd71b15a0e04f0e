using GridAppliance.Hosting;

namespace GridAppliance.San.Lio;

/// <summary>
/// The kernel's configfs: a directory that is made is an object that is made, with its attributes as files; a link between two objects is a relation; a directory can be removed when
/// nothing but attributes is left in it.
/// </summary>
interface IConfigFolder
{
    bool Exists(string path);

    IReadOnlyList<string> Children(string path);

    string Read(string path);

    void Make(string path);

    void Write(string path, string value);

    void Link(string path, string to);

    void Unlink(string path);

    void Remove(string path);
}

/// <summary>Below <c>/sys/kernel/config/target</c>. Every name that becomes part of a path was checked before: no separators, no dots alone.</summary>
sealed class KernelConfigFolder(string root) : IConfigFolder
{
    public const string Target = "/sys/kernel/config/target";

    public bool Exists(string path) => Try(path, full => Directory.Exists(full) || File.Exists(full));

    public IReadOnlyList<string> Children(string path) => Try(path, full => (IReadOnlyList<string>)(Directory.Exists(full) ? [.. Directory.EnumerateFileSystemEntries(full).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal)] : []));

    public string Read(string path) => Try(path, full => File.ReadAllText(full).TrimEnd('\n', '\0'));

    public void Make(string path) => Try(path, full => Directory.CreateDirectory(full));

    // An attribute takes what one write brings.
    public void Write(string path, string value) => Try(path, full =>
    {
        using var file = new FileStream(full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.UTF8.GetBytes(value));
        return true;
    });

    public void Link(string path, string to) => Try(path, full => File.CreateSymbolicLink(full, Path.Combine(root, to)));

    public void Unlink(string path) => Try(path, full => { File.Delete(full); return true; });

    public void Remove(string path) => Try(path, full => { Directory.Delete(full); return true; });

    T Try<T>(string path, Func<string, T> what)
    {
        try
        {
            return what(Path.Combine(root, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeviceException(DeviceFault.Refused, "the kernel's iSCSI target", $"{path}: {e.Message}", isTransient: false, e);
        }
    }
}
