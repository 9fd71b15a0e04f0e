using System.Text;

namespace GridAppliance.Boot.Http;

/// <summary>One file of <c>pxe/</c>: text with places such as <c>@mac@</c> that only a <see cref="ScriptValue"/> can fill. What was filled in is not looked at again.</summary>
sealed class ScriptTemplate
{
    // Texts at even places, names at odd ones.
    readonly string[] parts;

    ScriptTemplate(string name, string text)
    {
        Name = name;
        parts = text.Split('@');
        if (parts.Length % 2 == 0) throw new InvalidDataException($"{name}: an @ without its partner");
    }

    /// <summary>The file's name without its extension.</summary>
    public string Name { get; }

    /// <summary>Reads a template that was built into the daemon.</summary>
    public static ScriptTemplate Load(string name)
    {
        using var stream = typeof(ScriptTemplate).Assembly.GetManifestResourceStream($"pxe/{name}.ipxe") ?? throw new InvalidDataException($"pxe/{name}.ipxe is not built in");
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return new(name, reader.ReadToEnd());
    }

    /// <exception cref="ArgumentException">A place has no value: our bug.</exception>
    public byte[] Fill(params ReadOnlySpan<(string Place, ScriptValue Value)> values)
    {
        var text = new StringBuilder(1024);
        for (var i = 0; i < parts.Length; i++)
        {
            if (i % 2 == 0) text.Append(parts[i]);
            else text.Append(Value(parts[i], values).ToString());
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    ScriptValue Value(string place, ReadOnlySpan<(string Place, ScriptValue Value)> values)
    {
        foreach (var (name, value) in values)
        {
            if (name == place) return value;
        }
        throw new ArgumentException($"{Name} has a place @{place}@ that nothing fills", nameof(values));
    }
}
