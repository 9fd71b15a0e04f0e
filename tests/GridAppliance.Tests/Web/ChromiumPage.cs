using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GridAppliance.Tests.Web;

/// <summary>One page in a headless Chromium, driven over the DevTools protocol: no driver program, no package.</summary>
sealed class ChromiumPage : IAsyncDisposable
{
    const string Program = "/usr/bin/chromium";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly string profile;
    readonly ClientWebSocket socket = new();
    readonly CancellationTokenSource patience = new(Patience * 3);
    Task complaints = Task.CompletedTask;
    int calls;

    ChromiumPage(Process process, string profile) => (this.process, this.profile) = (process, profile);

    public static bool IsInstalled => File.Exists(Program);

    public static async Task<ChromiumPage> OpenAsync(Uri url, int width, int height, bool dark = false)
    {
        var profile = Directory.CreateTempSubdirectory("ga-chromium-").FullName;
        var start = new ProcessStartInfo(Program) { RedirectStandardError = true };
        foreach (var argument in (string[])
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
            "--no-default-browser-check", "--disable-extensions", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank",
        ]) start.ArgumentList.Add(argument);
        var page = new ChromiumPage(Process.Start(start)!, profile);
        try
        {
            await page.ConnectAsync();
            await page.ResizeAsync(width, height);
            await page.CallAsync("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" }) });
            await page.CallAsync("Page.enable", []);
            await page.CallAsync("Page.navigate", new() { ["url"] = url.ToString() });
            return page;
        }
        catch
        {
            await page.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes its window as large.</summary>
    public Task ResizeAsync(int width, int height) =>
        CallAsync("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 500 });

    /// <summary>What a script expression comes to, as text.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new() { ["expression"] = $"String({expression})", ["awaitPromise"] = true });
        if (answer["exceptionDetails"] is { } exception) throw new InvalidOperationException(exception.ToJsonString());
        return answer["result"]!["value"]!.GetValue<string>();
    }

    /// <summary>Returns once the expression is true; the page itself is asked, so that nothing depends on how fast it is.</summary>
    /// <param name="again">Done at once and every few seconds, where what makes it true does not last.</param>
    public async Task UntilAsync(string expression, Func<Task>? again = null)
    {
        var deadline = Stopwatch.StartNew();
        var next = TimeSpan.Zero;
        // Before the page is there, its elements are not: that is "not yet" like any other.
        while (await EvaluateAsync($"(() => {{ try {{ return {expression}; }} catch {{ return false; }} }})()") != "true")
        {
            if (again is not null && deadline.Elapsed >= next)
            {
                await again();
                next = deadline.Elapsed + TimeSpan.FromSeconds(3);
            }
            if (deadline.Elapsed > Patience) throw new TimeoutException($"never came true: {expression}\n{await EvaluateAsync("document.body.innerText")}");
            await Task.Delay(50);
        }
    }

    /// <summary>Types into what has the focus.</summary>
    public Task TypeAsync(string text) => CallAsync("Input.insertText", new() { ["text"] = text });

    /// <summary>Presses a key that types nothing, such as <c>Enter</c>.</summary>
    public async Task PressAsync(string key, int code)
    {
        foreach (var type in (string[])["keyDown", "keyUp"])
            await CallAsync("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code, ["text"] = type == "keyDown" && key == "Enter" ? "\r" : "" });
    }

    public async Task ScreenshotAsync(string path)
    {
        var answer = await CallAsync("Page.captureScreenshot", new() { ["format"] = "png" });
        await File.WriteAllBytesAsync(path, Convert.FromBase64String(answer["data"]!.GetValue<string>()));
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        patience.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().WaitAsync(Patience);
        // A helper of its own that outlives it for a moment holds the stream's other end open: nobody waits for that for ever.
        await Task.WhenAny(complaints, Task.Delay(TimeSpan.FromSeconds(10)));
        process.Dispose();
        for (var tries = 0; Directory.Exists(profile); tries++)
        {
            // Its helpers write for a moment longer than it lives.
            try { Directory.Delete(profile, recursive: true); }
            catch (IOException) when (tries < 20) { await Task.Delay(100); }
        }
    }

    /// <summary>It says on its error stream where it listens.</summary>
    async Task ConnectAsync()
    {
        const string mark = "DevTools listening on ";
        string? line;
        do line = await process.StandardError.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException("chromium ended before it listened");
        while (!line.StartsWith(mark, StringComparison.Ordinal));
        // What it complains of later is read and dropped, or it would wait for a reader.
        complaints = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        var browser = new Uri(line[mark.Length..]);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var targets = JsonNode.Parse(await http.GetStringAsync($"http://{browser.Authority}/json/list", patience.Token))!.AsArray();
        var address = targets.First(target => target!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>();
        await socket.ConnectAsync(new(address), patience.Token);
    }

    async Task<JsonNode> CallAsync(string method, JsonObject parameters)
    {
        var id = ++calls;
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters }), WebSocketMessageType.Text, true, patience.Token);
        while (true)
        {
            var message = await ReceiveAsync();
            // Events come in between; nobody here waits for one.
            if (message["id"]?.GetValue<int>() != id) continue;
            return message["result"] ?? throw new InvalidOperationException($"{method}: {message["error"]?.ToJsonString()}");
        }
    }

    async Task<JsonNode> ReceiveAsync()
    {
        using var whole = new MemoryStream();
        var buffer = new byte[64 * 1024];
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer, patience.Token);
            whole.Write(buffer, 0, part.Count);
        } while (!part.EndOfMessage);
        return JsonNode.Parse(whole.ToArray())!;
    }
}

/// <summary>A test that needs the browser; says so where there is none.</summary>
sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (!ChromiumPage.IsInstalled) Skip = "chromium is not installed";
    }
}
