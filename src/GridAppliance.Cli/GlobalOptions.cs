using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GridAppliance.Api.Client;

namespace GridAppliance.Cli;

/// <summary>What every command understands.</summary>
static class GlobalOptions
{
    public static Option<string> Url { get; } = new("--url")
    {
        Description = $"The appliance: unix:/path or http(s)://host:port. [GRIDCTL_URL; default {ApplianceAddress.DefaultText}]",
        HelpName = "URL",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("GRIDCTL_URL") is { Length: > 0 } url ? url : ApplianceAddress.DefaultText,
    };

    public static Option<OutputFormat> Output { get; } = new("--output", "-o")
    {
        Description = "text, or json: exactly what the API answers.",
        HelpName = "text|json",
        Recursive = true,
    };

    // The token's value is never an argument or a variable: both can be read by others.
    public static Option<string?> TokenFile { get; } = new("--token-file")
    {
        Description = "File with the bearer token, for an address beyond this machine. [GRIDCTL_TOKEN_FILE]",
        HelpName = "FILE",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("GRIDCTL_TOKEN_FILE"),
    };

    public static Option<string?> Certificate { get; } = new("--certificate")
    {
        Description = "The appliance's own certificate (PEM), trusted exactly. [GRIDCTL_CERTIFICATE]",
        HelpName = "FILE",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("GRIDCTL_CERTIFICATE"),
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Url);
        root.Add(Output);
        root.Add(TokenFile);
        root.Add(Certificate);
    }

    /// <exception cref="UsageException">The address, the token or the certificate cannot be used.</exception>
    public static ApplianceClient Connect(ParseResult parsed)
    {
        var url = parsed.GetRequiredValue(Url);
        if (!ApplianceAddress.TryParse(url, out var address))
            throw new UsageException($"'{url}' is no appliance's address", "write unix:/path/to/socket, http://127.0.0.1:8080 or https://host:port");
        return new(address, new(ReadToken(parsed.GetValue(TokenFile)), ReadCertificate(parsed.GetValue(Certificate))));
    }

    static string? ReadToken(string? file) => file is null ? null : InputFile.Read(file, "the token", "check --token-file").Trim();

    static X509Certificate2? ReadCertificate(string? file)
    {
        if (file is null) return null;
        try { return X509Certificate2.CreateFromPem(File.ReadAllText(file)); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UsageException($"the certificate cannot be read: {e.Message}", "check --certificate");
        }
    }
}

enum OutputFormat { Text, Json }

/// <summary>The command line cannot be carried out as it stands.</summary>
sealed class UsageException(string message, string nextStep) : Exception(message)
{
    public string NextStep { get; } = nextStep;
}
