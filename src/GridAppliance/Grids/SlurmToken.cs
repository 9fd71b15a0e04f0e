using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace GridAppliance.Grids;

/// <summary>
/// What Slurm's controller and its REST daemon take as proof of a user: a JSON Web Token (RFC 7519) signed with HS256 (RFC 7515), which names the user in the claim <c>sun</c>.
/// https://slurm.schedmd.com/jwt.html
/// </summary>
static class SlurmToken
{
    public static string Sign(ReadOnlySpan<byte> key, string user, DateTimeOffset now, DateTimeOffset until)
    {
        var claims = JsonSerializer.SerializeToUtf8Bytes(new(until.ToUnixTimeSeconds(), now.ToUnixTimeSeconds(), user), SlurmTokenJson.Default.SlurmClaims);
        var header = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8);
        var signed = $"{header}.{Base64Url.EncodeToString(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }
}

/// <summary>In the names that Slurm reads.</summary>
sealed record SlurmClaims(
    [property: JsonPropertyName("exp")] long Expires, [property: JsonPropertyName("iat")] long Issued, [property: JsonPropertyName("sun")] string User);

[JsonSerializable(typeof(SlurmClaims))]
sealed partial class SlurmTokenJson : JsonSerializerContext;
