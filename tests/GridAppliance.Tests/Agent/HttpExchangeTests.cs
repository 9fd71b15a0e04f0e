using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Agent.Calls;

namespace GridAppliance.Tests.Agent;

/// <summary>Answers as peers on a bad day may give them, over a real socket.</summary>
public sealed class HttpExchangeTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Sends a request to a peer that reads it, answers with these octets and hangs up.</summary>
    static async Task<(int Status, string Body, string Request)> AskAsync(string answer, string method = "GET", string body = "", int pieces = 1)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var patience = new CancellationTokenSource(Patience);
        var peer = AnswerAsync(listener, Encoding.Latin1.GetBytes(answer), body.Length, pieces, patience.Token);
        using var exchange = await HttpExchange.StartAsync((IPEndPoint)listener.LocalEndPoint!, method, "/p?q=1", "X: y\r\n", Encoding.ASCII.GetBytes(body), Patience, patience.Token);
        var read = await exchange.ReadToEndAsync(64, patience.Token);
        return (exchange.Status, Encoding.Latin1.GetString(read), await peer);
    }

    static async Task<string> AnswerAsync(Socket listener, byte[] answer, int bodyLength, int pieces, CancellationToken cancellationToken)
    {
        using var socket = await listener.AcceptAsync(cancellationToken);
        socket.NoDelay = true;
        var request = "";
        var buffer = new byte[4096];
        while (!request.Contains("\r\n\r\n") || request.Length - request.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4 < bodyLength)
            request += Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, cancellationToken));
        foreach (var piece in answer.Chunk(Math.Max(1, answer.Length / pieces))) await socket.SendAsync(piece, cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
        return request;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task An_answer_with_a_length_is_read_to_that_length_however_it_comes(int pieces)
    {
        var (status, body, request) = await AskAsync("HTTP/1.1 200 OK\r\nServer: k\r\ncontent-length: 5\r\n\r\nhello and more", pieces: pieces);
        Assert.Equal((200, "hello"), (status, body));
        Assert.StartsWith("GET /p?q=1 HTTP/1.0\r\nHost: 127.0.0.1:", request);
        Assert.EndsWith("\r\nX: y\r\n\r\n", request);
    }

    [Fact]
    public async Task An_answer_without_a_length_ends_with_the_connection_and_a_body_is_sent_with_its_own()
    {
        var (status, body, request) = await AskAsync("HTTP/1.0 503 Later\r\n\r\nnot now", "POST", "{\"a\":1}");
        Assert.Equal((503, "not now"), (status, body));
        Assert.EndsWith("X: y\r\nContent-Length: 7\r\n\r\n{\"a\":1}", request);
    }

    [Fact]
    public async Task No_content_has_no_body() => Assert.Equal((204, ""), await AskAsync("HTTP/1.1 204 No Content\r\n\r\nignored") is var (status, body, _) ? (status, body) : default);

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/2 200 OK\r\n\r\n")]
    public async Task What_is_no_whole_answer_is_an_input_output_error(string answer) => await Assert.ThrowsAsync<IOException>(() => AskAsync(answer));

    [Fact]
    public async Task Heads_and_bodies_have_a_bound()
    {
        await Assert.ThrowsAsync<IOException>(() => AskAsync("HTTP/1.1 200 OK\r\nX: " + new string('x', 17000) + "\r\n\r\n"));
        await Assert.ThrowsAsync<IOException>(() => AskAsync("HTTP/1.1 200 OK\r\n\r\n" + new string('x', 65)));
    }
}
