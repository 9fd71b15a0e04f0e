using System.Net;

namespace GridAppliance.San;

/// <summary>Who an initiator says it is, and the word that proves it. Printing one never shows the word.</summary>
sealed record ChapAccount(string User, string Password)
{
    public override string ToString() => User;
}

/// <summary>What a target is made of besides its zones.</summary>
/// <param name="Authority">The beginning of our targets' names: <c>iqn.2026-11.lan.rack12</c>.</param>
/// <param name="Portal">Where they listen.</param>
/// <param name="Directory">Files outside it are not served.</param>
/// <param name="ChapOf">Each initiator's account.</param>
sealed record IscsiSettings(string Authority, IPEndPoint Portal, string Directory, Func<string, ChapAccount> ChapOf)
{
    public string? ProblemOf(string file)
    {
        if (file.AsSpan().ContainsAny(',', '\n', '\0') || file.Contains("  ", StringComparison.Ordinal)) return $"'{file}' cannot be given to a target";
        var full = Path.GetFullPath(file);
        if (full != file || !full.StartsWith(Directory.TrimEnd('/') + '/', StringComparison.Ordinal)) return $"'{file}' is not below {Directory}";
        return File.Exists(file) && new FileInfo(file).LinkTarget is null ? null : $"there is no file '{file}'";
    }

    public long SizeOf(string file) => new FileInfo(file).Length;
}

/// <summary>Names of iSCSI nodes (RFC 3721, section 1.1; RFC 7143, section 4.2.7).</summary>
static class IscsiName
{
    const int Longest = 223;

    /// <summary>Null for a name that is one; such a name may be part of a path.</summary>
    public static string? ProblemOf(string name) =>
        name.Length is > 0 and <= Longest && (name.StartsWith("iqn.", StringComparison.Ordinal) || name.StartsWith("eui.", StringComparison.Ordinal) || name.StartsWith("naa.", StringComparison.Ordinal))
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or ':') && !name.Contains("..", StringComparison.Ordinal) ? null : $"'{name}' is no iSCSI name";
}
