using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using GridAppliance.Hosting;

namespace GridAppliance.Power.Redfish;

/// <summary>The stream of events (DSP0266, section 13.5.2): a connection of its own in the same session, so that it holds up nobody.</summary>
sealed partial class RedfishSession
{
    /// <summary>One event, or one report of many.</summary>
    const int MostEvent = 256 * 1024;

    /// <summary>Many devices say nothing for hours; a connection that died meanwhile is noticed by trying anew.</summary>
    static readonly TimeSpan StreamPatience = TimeSpan.FromMinutes(10);

    /// <summary>Everything that the device sends, until it ends the stream or falls silent for long.</summary>
    /// <exception cref="DeviceException">There is no such stream, or no way to it.</exception>
    public async IAsyncEnumerable<JsonElement> StreamAsync(RedfishPath path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(StreamPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token, closing.Token);
        using var response = await OpenStreamAsync(path, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var reader = new ServerSentEventReader(body, MostEvent);
        while (true)
        {
            byte[]? data;
            try
            {
                data = await reader.ReadAsync(either.Token);
            }
            catch (InvalidDataException e)
            {
                throw Fault(DeviceFault.Nonsense, e.Message, isTransient: true, e);
            }
            catch (Exception e) when (e is IOException or HttpRequestException || e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                yield break;
            }
            if (data is null) yield break;
            patience.CancelAfter(StreamPatience);
            if (Parse(data) is { } json) yield return json;
        }
    }

    async Task<HttpResponseMessage> OpenStreamAsync(RedfishPath path, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        await turn.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                if (refused is { } reason) throw Fault(DeviceFault.CredentialsRefused, reason);
                if (token is null && !usesBasic) await SignInAsync(cancellationToken);
                var response = await ExchangeAsync(() => Request(HttpMethod.Get, path, null, null, "text/event-stream"), events, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                if (response.IsSuccessStatusCode) return response;
                using (response)
                {
                    if (response.StatusCode != HttpStatusCode.Unauthorized) throw Refusal(path, response.StatusCode, null);
                    if (attempt > 0 || usesBasic) throw Refuse();
                    token = null;
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }
}
