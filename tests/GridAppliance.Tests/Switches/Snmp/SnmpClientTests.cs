using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches.Snmp;

/// <summary>How our client spares a device: few requests at once, and none that is too big for it.</summary>
public sealed class SnmpClientTests : IAsyncLifetime
{
    static readonly ObjectIdentifier Names = new(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1);

    readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => socket.DisposeAsync().AsTask();

    [Fact]
    public async Task No_more_than_a_set_number_of_requests_are_under_way_at_a_device()
    {
        const int limit = 3, questions = 12;
        using var device = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        device.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        // The clock stands still: nothing is sent twice.
        using var session = new SnmpSession(socket, (IPEndPoint)device.LocalEndPoint!, new SnmpCredentials.Community("rw"), new() { InFlight = limit }, new ManualClock());
        // What a call sends at once, it has sent when it gives its task back, and loopback has delivered it.
        var answers = Enumerable.Range(1, questions).Select(i => session.GetAsync([Names.Append((uint)i)], default)).ToList();
        var open = new Queue<(SnmpPdu Pdu, EndPoint From)>();
        while (device.Available > 0) open.Enqueue(await ReceiveAsync(device));
        Assert.Equal(limit, open.Count);

        for (var answered = 1; answered <= questions; answered++)
        {
            var (question, from) = open.Dequeue();
            await device.SendToAsync(Answer(question), SocketFlags.None, from);
            // Each answer lets one more question out, and no second one.
            if (answered + limit <= questions) open.Enqueue(await ReceiveAsync(device));
            Assert.Equal(0, device.Available);
        }
        foreach (var (i, answer) in answers.Index()) Assert.Equal(Names.Append((uint)i + 1), Assert.Single(await Eventually.ComesAsync(answer, "an answer")).Name);
    }

    static async Task<(SnmpPdu, EndPoint)> ReceiveAsync(Socket device)
    {
        var datagram = new byte[4096];
        var received = await Eventually.ComesAsync(device.ReceiveFromAsync(datagram, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0)), "a request");
        Assert.True(CommunityMessage.TryRead(datagram.AsSpan(0, received.ReceivedBytes), out var message, out _));
        return (message.Pdu!, received.RemoteEndPoint);
    }

    static byte[] Answer(SnmpPdu question)
    {
        var datagram = new byte[4096];
        var length = CommunityMessage.Write(datagram, SnmpVersion.V2c, Encoding.ASCII.GetBytes("rw"), new() { Type = SnmpPduType.Response, RequestId = question.RequestId, Varbinds = [.. question.Varbinds.Select(v => v with { Value = SnmpValue.Integer(1) })] });
        return datagram[..length];
    }

    [Fact]
    public async Task What_is_too_big_for_a_device_is_asked_for_in_smaller_pieces()
    {
        await using var bench = new SwitchBench(BridgeModel.Factory(40));
        var refused = 0;
        bench.Agent.Tamper = (request, response) =>
        {
            if (request is not ({ Type: SnmpPduType.Get, Varbinds.Length: > 3 } or { Type: SnmpPduType.GetBulk, MaxRepetitions: > 5 })) return response;
            refused++;
            return response with { ErrorStatus = SnmpErrorStatus.TooBig, Varbinds = [] };
        };
        using var session = new SnmpSession(socket, bench.Agent.EndPoint, SwitchBench.Credentials, new(), TimeProvider.System);
        var names = Enumerable.Range(1, 40).Select(p => Names.Append((uint)(1000 + p))).ToList();
        var expected = Enumerable.Range(1, 40).Select(p => $"Gi0/{p}").ToList();
        Assert.Equal(expected, (await session.GetAsync(names, default)).Select(v => v.Value.AsText));
        Assert.True(refused > 0);
        refused = 0;
        Assert.Equal(expected, (await session.WalkAsync(Names, default)).Select(v => v.Value.AsText));
        Assert.True(refused > 0);
    }

    [Fact]
    public async Task One_variable_that_is_too_big_is_told_and_not_asked_for_for_ever()
    {
        await using var bench = new SwitchBench(BridgeModel.Factory(4));
        bench.Agent.Tamper = (_, response) => response with { ErrorStatus = SnmpErrorStatus.TooBig, Varbinds = [] };
        using var session = new SnmpSession(socket, bench.Agent.EndPoint, SwitchBench.Credentials, new(), TimeProvider.System);
        var fault = await Assert.ThrowsAsync<GridAppliance.Hosting.DeviceException>(() => session.GetAsync([Names.Append(1001)], default));
        Assert.Contains("TooBig", fault.Message);
        await Assert.ThrowsAsync<GridAppliance.Hosting.DeviceException>(() => session.WalkAsync(Names, default));
        Assert.Equal(SnmpErrorStatus.TooBig, (await session.SetAsync([new(Names.Append(1001), SnmpValue.Text("x"))], default)).Status);
    }

    [Fact]
    public async Task A_table_without_an_end_is_left_and_told()
    {
        await using var bench = new SwitchBench(BridgeModel.Factory(4));
        // Whatever is asked for, there is always one more row.
        bench.Agent.Tamper = (request, response) => request.Type == SnmpPduType.GetBulk
            ? response with { Varbinds = [.. Enumerable.Range(1, request.MaxRepetitions).Select(i => new Varbind(Names.Append((request.Varbinds[0].Name.Below(Names) is [.., var last] ? last : 0) + (uint)i), SnmpValue.Integer(1)))] }
            : response;
        using var session = new SnmpSession(socket, bench.Agent.EndPoint, SwitchBench.Credentials, new() { LargestTable = 1000 }, TimeProvider.System);
        var fault = await Assert.ThrowsAsync<GridAppliance.Hosting.DeviceException>(() => session.WalkAsync(Names, default));
        Assert.Contains("has no end of rows below", fault.Message);
    }
}
