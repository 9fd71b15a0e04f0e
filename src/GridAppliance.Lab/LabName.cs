using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Lab;

/// <summary>
/// Name of a lab instance, and the prefix of every namespace and interface it makes. Short enough that <c>NAME-uplink</c> still is an
/// interface name (15 characters), and plain enough to stand in a path or an argument as it is.
/// </summary>
readonly record struct LabName
{
    const int LongestText = 7;
    readonly string? text;

    LabName(string text) => this.text = text;

    public static LabName Default { get; } = new("gl");

    public static bool TryParse([NotNullWhen(true)] string? text, out LabName name)
    {
        var valid = text is { Length: > 0 and <= LongestText } && char.IsAsciiLetterLower(text[0]) && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));
        name = valid ? new LabName(text!) : default;
        return valid;
    }

    /// <exception cref="LabException">The text is no lab name.</exception>
    public static LabName Parse(string text) => TryParse(text, out var name)
        ? name
        : throw new LabException($"'{text}' cannot name a lab: use one to {LongestText} lower-case letters and digits, beginning with a letter.");

    public override string ToString() => text ?? "";
}
