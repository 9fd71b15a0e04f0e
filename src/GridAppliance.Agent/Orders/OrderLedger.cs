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
        try { return DurableFile.Read(FileOf(orderId)) is { } kept ? JsonSerializer.Deserialize(kept, ReadJson.Default.OrderResult) : null; }
        catch (JsonException) { return null; }
    }

    public void Keep(string orderId, OrderResult result)
    {
        DurableFile.Write(FileOf(orderId), JsonSerializer.SerializeToUtf8Bytes(result, WrittenJson.Default.OrderResult));
        var kept = new DirectoryInfo(folder).GetFiles("*.json");
        if (kept.Length <= Capacity) return;
        foreach (var old in kept.OrderBy(f => f.LastWriteTimeUtc).Take(kept.Length - Capacity)) old.Delete();
    }

    // Ids are the appliance's own words: their digest is a safe file name whatever they hold.
    string FileOf(string orderId) => Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(orderId))) + ".json");
}
