using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Api.Client;

/// <summary>Where a management plane listens: <c>unix:/path/to/socket</c>, <c>http://host:port</c> or <c>https://host:port</c>.</summary>
public abstract record ApplianceAddress
{
    public const string DefaultText = "unix:/run/gridappliance/api.sock";

    ApplianceAddress() { }

    public sealed record Unix(string Path) : ApplianceAddress
    {
        public override string ToString() => $"unix:{Path}";
    }

    public sealed record Http(Uri Url) : ApplianceAddress
    {
        public override string ToString() => Url.ToString().TrimEnd('/');
    }

    /// <summary>What requests are addressed to. Over a unix socket the host is a fixed word that the plane knows.</summary>
    internal Uri BaseUrl => this is Http http ? http.Url : new("http://localhost/");

    public static bool TryParse(string text, [NotNullWhen(true)] out ApplianceAddress? address)
    {
        address = null;
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            if (path.StartsWith("//", StringComparison.Ordinal)) path = path[2..];
            // sun_path holds 108 octets with its terminating zero.
            if (!path.StartsWith('/') || System.Text.Encoding.UTF8.GetByteCount(path) > 107) return false;
            address = new Unix(path);
            return true;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return false;
        if (url.AbsolutePath != "/" || url.Query.Length > 0 || url.UserInfo.Length > 0) return false;
        address = new Http(url);
        return true;
    }
}
