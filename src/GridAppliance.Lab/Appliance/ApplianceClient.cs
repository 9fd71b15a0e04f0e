using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Lab.Appliance;

/// <summary>Asks the lab's appliance over its unix socket. An appliance that is away or busy answers null: the lab looks again.</summary>
sealed class ApplianceClient : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    readonly HttpClient http;

    public ApplianceClient(string socket) => http = new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        },
    })
    { BaseAddress = new Uri("http://localhost/"), Timeout = Patience };

    public async Task<bool> IsHealthyAsync(CancellationToken cancellation)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("healthz", UriKind.Relative), cancellation);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception away) when (IsAway(away, cancellation))
        {
            return false;
        }
    }

    public Task<IReadOnlyList<NodeDocument>?> NodesAsync(CancellationToken cancellation) =>
        GetAsync("api/v1/nodes", ApiJson.Default.IReadOnlyListNodeDocument, cancellation);

    public Task<StatusDocument?> StatusAsync(CancellationToken cancellation) => GetAsync("api/v1/status", ApiJson.Default.StatusDocument, cancellation);

    public Task<WhyDocument?> WhyAsync(string node, CancellationToken cancellation) =>
        GetAsync($"api/v1/nodes/{Uri.EscapeDataString(node)}/why", ApiJson.Default.WhyDocument, cancellation);

    async Task<T?> GetAsync<T>(string address, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        try
        {
            return await http.GetFromJsonAsync(new Uri(address, UriKind.Relative), type, cancellation);
        }
        catch (Exception away) when (IsAway(away, cancellation))
        {
            return null;
        }
    }

    /// <summary>Gone, not answering in time, or cut off in the middle; being told to stop is none of these.</summary>
    static bool IsAway(Exception failure, CancellationToken cancellation) =>
        failure is HttpRequestException or IOException or JsonException || failure is OperationCanceledException && !cancellation.IsCancellationRequested;

    public void Dispose() => http.Dispose();
}
