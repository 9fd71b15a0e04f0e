using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Http;

/// <summary>
/// <c>GET /boot/script</c>: without a query the script that comes back with one; with <c>mac=</c> (and <c>uuid=</c>) what that machine boots now, by the boot directory.
/// </summary>
sealed partial class BootScriptEndpoint(
    BootDirectoryState directory, BootCatalogState catalog, BootScripts scripts, SanBootState luns, BootAttempts attempts, ApplianceKey key, BootReporter reporter, TimeProvider clock,
    ILogger<BootScriptEndpoint> log) : IBootPlaneEndpoints
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/boot/script", (RequestDelegate)AnswerAsync);

    async Task AnswerAsync(HttpContext context)
    {
        var arrived = clock.GetTimestamp();
        var query = context.Request.Query;
        if (!query.TryGetValue("mac", out var macText))
        {
            await SendAsync(context, scripts.Chain(context.BootPlaneUrl));
            return;
        }
        if (!MacAddress.TryParse(macText.ToString(), out var mac) || mac.IsZero || mac.IsMulticast)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        var who = reporter.Identify(context.BootNetwork, context.ClientAddress);
        if (who.Mac is { } known && known != mac)
        {
            // A token for another machine's boot is not given to whoever asks first.
            LogOtherMac(who.Address, known, mac);
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }
        var isSure = who.Mac == mac;
        who = who with { Mac = mac };
        Guid? uuid = Guid.TryParse(query["uuid"].ToString(), out var parsed) && parsed != Guid.Empty ? parsed : null;
        var (name, script) = await ChooseAsync(context, who, isSure, uuid);
        if (script is null)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        await SendAsync(context, script);
        reporter.Script(who, name, uuid, clock.GetElapsedTime(arrived));
    }

    async ValueTask<(string Name, byte[]? Script)> ChooseAsync(HttpContext context, BootRequester who, bool isSure, Guid? uuid)
    {
        var mac = who.Mac!.Value;
        var now = directory.Current;
        var node = now.ByMac.TryGetValue(mac, out var entry) ? entry.Name : "unknown";
        switch (now.ActionFor(mac))
        {
            case BootAction.None:
                return ("hold", scripts.Hold(context.BootPlaneUrl, mac, node));
            case BootAction.LocalDisk:
                return ("local", scripts.Local(mac));
            case BootAction.NodeImage when entry is not { Recover: true } && luns.Current.TryGetValue(mac, out var lun):
                // The word that opens a LUN goes to the address that we gave to that very machine, or to nobody.
                return isSure ? FromLun(context, mac, lun.Portal ?? who.Network.Server, lun) : ("hold", scripts.Hold(context.BootPlaneUrl, mac, node));
            case BootAction.NodeImage:
                if (catalog.Current is not { } files) return ("node", null);
                var attempt = await attempts.IssueAsync(mac, who.Address, who.Network.Name, uuid, context.RequestAborted);
                var (name, arguments) = entry switch
                {
                    { Recover: true } => (BootEntry.RecoveryScript, files.CommandLine.ForRecovery),
                    { Image: RootImage.Debian } when files.Root is { } root => (root.Name, files.CommandLine.ForRoot(root, node)),
                    _ => ("node", files.CommandLine),
                };
                return (name, scripts.Node(context.BootPlaneUrl, mac, files, attempt, key.Fingerprint, arguments));
        }
        throw new InvalidOperationException($"no script for {now.ActionFor(mac)}");
    }

    (string Name, byte[]? Script) FromLun(HttpContext context, MacAddress mac, Ipv4Address portal, SanBootTarget lun)
    {
        if (!lun.Kernel) return ("san", scripts.San(context.BootPlaneUrl, mac, portal, lun));
        return ("san-root", catalog.Current is { } files ? scripts.SanRoot(context.BootPlaneUrl, mac, portal, lun, files) : null);
    }

    static async Task SendAsync(HttpContext context, byte[] script)
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = script.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(script, context.RequestAborted);
    }

    // Debug: whoever asks could fill the log.
    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} is {Known}, but asked for the boot script of {Asked}: refused")]
    partial void LogOtherMac(Ipv4Address address, MacAddress known, MacAddress asked);
}
