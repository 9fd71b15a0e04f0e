using System.Collections.Frozen;
using System.Security.Cryptography;
using GridAppliance.Web.Security;
using Microsoft.Net.Http.Headers;

namespace GridAppliance.Web;

/// <summary>The status page: files embedded in the daemon, each under a fixed key. No request's path ever reaches a file system.</summary>
static class StatusPageEndpoints
{
    public const string Folder = "/page";

    /// <summary>One page for every node's console; it holds nothing, and reads from its own address whose it is.</summary>
    public const string ConsoleFolder = "/console";

    const string Index = "index.html";
    const string Console = "console.html";

    sealed record PageFile(byte[] Content, string Type, EntityTagHeaderValue Tag);

    public static void MapStatusPage(this IEndpointRouteBuilder root)
    {
        var files = Load();
        root.MapGet("/", (HttpContext context) => Serve(context, files[Index])).ExcludeFromDescription();
        root.MapGet($"{ConsoleFolder}/{{node}}", (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = SecurityHeaders.ConsolePolicy;
            return Serve(context, files[Console]);
        }).ExcludeFromDescription();
        root.MapGet($"{Folder}/{{file}}", (string file, HttpContext context) => files.TryGetValue(file, out var found) ? Serve(context, found) : Results.NotFound()).ExcludeFromDescription();
    }

    // Checked against its digest at each visit: a new daemon's page is never mixed with an old one's.
    static IResult Serve(HttpContext context, PageFile file)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(file.Content, file.Type, entityTag: file.Tag);
    }

    static FrozenDictionary<string, PageFile> Load()
    {
        const string prefix = "StatusPage/";
        var assembly = typeof(StatusPageEndpoints).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToFrozenDictionary(name => name[prefix.Length..], name =>
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return new PageFile(content.ToArray(), TypeOf(name), new($"\"{Convert.ToHexStringLower(SHA256.HashData(content.ToArray()))[..16]}\""));
        });
    }

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"no media type for '{other}': add it here"),
    };
}
