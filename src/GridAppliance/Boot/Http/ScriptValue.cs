using System.Buffers;
using System.Globalization;
using GridAppliance.Boot.Files;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Http;

/// <summary>
/// A text that may stand in a boot script. There is no way from a plain string to one of these but through a check of every character: what iPXE gives a meaning to
/// (<c>$ { } &amp; | ; # ' " \</c>, white space, line ends) cannot get in, whoever the string came from.
/// </summary>
readonly record struct ScriptValue
{
    static readonly SearchValues<char> TokenCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    static readonly SearchValues<char> IscsiCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.:");
    const int LongestName = 63;

    readonly string text;

    ScriptValue(string text) => this.text = text;

    public static ScriptValue Of(MacAddress mac) => new(mac.ToString());

    public static ScriptValue Of(BootPlaneUrl url) => new(url.ToString());

    public static ScriptValue Of(KernelArguments arguments) => new(arguments.ToString());

    /// <summary>A file's key, which the catalogue has checked.</summary>
    public static ScriptValue Of(BootFile file) => new(file.Key);

    /// <summary>Base64url, hex, or an id of ours.</summary>
    /// <exception cref="ArgumentException">A character that none of those has: our bug.</exception>
    public static ScriptValue Token(string text) =>
        text.Length is > 0 and <= 128 && text.AsSpan().IndexOfAnyExcept(TokenCharacters) < 0 ? new(text) : throw new ArgumentException("not a token", nameof(text));

    /// <summary>A name of an iSCSI node (RFC 3722 leaves it lower-case letters, digits, dash, dot and colon).</summary>
    /// <exception cref="ArgumentException">A character that none of those is: our bug.</exception>
    public static ScriptValue Iscsi(string name) =>
        name.Length is > 0 and <= 223 && name.AsSpan().IndexOfAnyExcept(IscsiCharacters) < 0 ? new(name) : throw new ArgumentException("not an iSCSI name", nameof(name));

    public static ScriptValue Of(Ipv4Address address) => new(address.ToString());

    public static ScriptValue Of(ushort number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A node's name, to be shown: what is no letter, digit, dash or underscore shows as a dash.</summary>
    public static ScriptValue Name(string name) =>
        new(string.Concat(name.Take(LongestName).Select(static c => TokenCharacters.Contains(c) ? c : '-')));

    public override string ToString() => text ?? "";
}
