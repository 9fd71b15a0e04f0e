namespace GridAppliance.Web.Security;

/// <summary>What a browser is told on every answer: run our files only, send nothing elsewhere, let nobody frame us. No inline script or style, and no text becomes markup.</summary>
static class SecurityHeaders
{
    const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " + Always;

    /// <summary>The terminal measures its characters and colours its cells with style elements of its own making. Scripts are as bound as anywhere, and no text becomes markup.</summary>
    public const string ConsolePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; connect-src 'self'; " + Always;

    const string Always = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static Task Add(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), usb=(), serial=()";
        headers.CacheControl = "no-store";
        return next(context);
    }
}
