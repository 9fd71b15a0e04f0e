using GridAppliance.Store;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace GridAppliance.Web;

/// <summary>Error answers: RFC 9457 problem documents whose <c>detail</c> is one sentence and whose <c>nextStep</c> says what to do.</summary>
static class Problems
{
    public static ProblemHttpResult Answer(int status, string detail, string? nextStep = null) => TypedResults.Problem(
        detail, statusCode: status, title: ReasonPhrases.GetReasonPhrase(status), type: "about:blank",
        extensions: nextStep is null ? null : [new("nextStep", nextStep)]);

    public static ProblemHttpResult NoSuchNode(string name) =>
        Answer(StatusCodes.Status404NotFound, $"there is no node '{Short(name)}'", "list the nodes with `gridctl nodes`");

    public static ProblemHttpResult BadRange(string detail) => Answer(StatusCodes.Status400BadRequest, detail, "see `gridctl --help` for what a range is");

    /// <summary>What a handler threw, as an answer; the message of a bug stays in the log.</summary>
    public static Task OfException(HttpContext context)
    {
        var problem = context.Features.Get<IExceptionHandlerFeature>()?.Error switch
        {
            BadHttpRequestException e => Answer(e.StatusCode, e.InnerException is System.Text.Json.JsonException json ? $"the body is not what is expected: {Short(json.Message)}" : e.Message, "see /api/v1/openapi.json for what is expected"),
            StoreException { Fault: StoreFault.DiskFull } e => Answer(StatusCodes.Status507InsufficientStorage, e.Message, "free space on the file system of dataDir; nothing has to be restarted"),
            StoreException e => Answer(StatusCodes.Status503ServiceUnavailable, e.Message, "look at `journalctl -u gridappliance`"),
            _ => Answer(StatusCodes.Status500InternalServerError, "the appliance made a mistake", "look at `journalctl -u gridappliance` and report it"),
        };
        return problem.ExecuteAsync(context);
    }

    /// <summary>Statuses that no handler wrote a body for: unknown address, wrong method, body too large.</summary>
    public static Task OfStatus(StatusCodeContext context)
    {
        var http = context.HttpContext;
        var detail = http.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"there is nothing at {Short(http.Request.Path)}",
            StatusCodes.Status405MethodNotAllowed => $"{http.Request.Method} is not for {Short(http.Request.Path)}",
            var status => ReasonPhrases.GetReasonPhrase(status),
        };
        return Answer(http.Response.StatusCode, detail, "see /api/v1/openapi.json for what there is").ExecuteAsync(http);
    }

    public static string Short(string? text) => text is null ? "" : text.Length <= 80 ? text : text[..80] + "…";
}
