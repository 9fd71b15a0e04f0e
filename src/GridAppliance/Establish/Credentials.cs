namespace GridAppliance.Establish;

/// <summary>What somebody gave for getting into machines. In memory only, and never in a text.</summary>
sealed record Credentials
{
    public required string User { get; init; }
    public string? Password { get; init; }
    public string? PrivateKey { get; init; }
    public string? SudoPassword { get; init; }

    /// <summary>sudo asks for the account's own password, unless the administrator says that it is another.</summary>
    public string? ForSudo => SudoPassword ?? Password;

    public override string ToString() => $"credentials of {User}";

    /// <summary>Why these cannot be used, or null.</summary>
    public string? Defect()
    {
        if (!IsUser(User)) return "a user's name has letters, digits, dots, dashes and underlines, at most 32 of them";
        if (Password is null && PrivateKey is null) return "give a password or a private key";
        if (Password is not null && PrivateKey is not null) return "give a password or a private key, not both; the password for sudo is another option";
        if (PrivateKey is { Length: > 64 << 10 }) return "a private key has less than 64 KiB";
        return IsLine(Password) && IsLine(SudoPassword) ? null : "a password is one line of at most 1000 characters";
    }

    static bool IsLine(string? secret) => secret is null || secret.Length is > 0 and <= 1000 && !secret.Any(char.IsControl);

    static bool IsUser(string? user) =>
        user is { Length: > 0 and <= 32 } && (char.IsAsciiLetterOrDigit(user[0]) || user[0] == '_') && user.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
