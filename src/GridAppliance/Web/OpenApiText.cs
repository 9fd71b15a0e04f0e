using Microsoft.AspNetCore.OpenApi;

namespace GridAppliance.Web;

/// <summary>What stands at the head of <c>/api/v1/openapi.json</c>.</summary>
static class OpenApiText
{
    public static void Configure(OpenApiOptions options) => options.AddDocumentTransformer((document, _, _) =>
    {
        document.Info.Title = "GridAppliance management plane";
        document.Info.Version = "v1";
        document.Info.Description = "Fields are only ever added. Errors are RFC 9457 problem documents whose detail is one sentence and whose nextStep says what to do. "
            + "A change from a browser or over TCP carries Content-Type: application/json or the header Grid-Request: 1. Beyond loopback: TLS and a bearer token.";
        document.Servers?.Clear();
        return Task.CompletedTask;
    });
}
