using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Orders;

/// <summary>
/// Results of the orders that were carried out, by id: an order that comes again is answered from here and not done twice. The newest <see cref="Capacity"/> are kept;
/// the appliance hands out one order at a time, so an older one cannot come again.
/// </summary>
sealed class OrderLedger(string folder)
{
    public const int Capacity = 128;

    public OrderResult? Find(string orderId)
    {
        try { return FileOf(orderId) is { } file && DurableFile.Read(file) is { } kept ? JsonSerializer.Deserialize(kept, ReadJson.Default.OrderResult) : null; }
        catch (JsonException) { return null; }
    }

    public void Keep(string orderId, OrderResult result)
    {
        // Numbered, not dated: a machine's date may jump by years while it runs.
        string[] kept = Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal)] : [];
        var number = kept.Length > 0 && long.TryParse(Path.GetFileName(kept[^1]).Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last + 1 : 1;
        DurableFile.Write(FileOf(orderId) ?? Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{number:d12}-{Name(orderId)}")), JsonSerializer.SerializeToUtf8Bytes(result, WrittenJson.Default.OrderResult));
        foreach (var old in kept.Take(kept.Length + 1 - Capacity)) DurableFile.Delete(old);
    }

    string? FileOf(string orderId) => Directory.Exists(folder) ? Directory.GetFiles(folder, "*" + Name(orderId)).FirstOrDefault() : null;

    // Ids are the appliance's own words: their digest is a safe file name whatever they hold.
    static string Name(string orderId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(orderId))) + ".json";
}
