using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GridAppliance.Hosting;

namespace GridAppliance.Web.Security;

/// <summary>The management plane's TLS certificate: <c>certificate.pem</c> and <c>certificate.key</c> in dataDir. A self-signed one is made on first use; put your own there.</summary>
static class OwnCertificate
{
    // Trusted by its bytes, not by a chain, so its life is the machine's.
    static readonly TimeSpan Life = TimeSpan.FromDays(3650);

    public static X509Certificate2 Load(string dataDir, IEnumerable<IPAddress> addresses, TimeProvider time)
    {
        var certificate = Path.Combine(dataDir, "certificate.pem");
        var key = Path.Combine(dataDir, "certificate.key");
        if (!File.Exists(certificate) || !File.Exists(key)) Create(certificate, key, addresses, time.GetUtcNow());
        try { return X509Certificate2.CreateFromPemFile(certificate, key); }
        catch (CryptographicException e)
        {
            throw new StartupException($"{certificate} and {key} are not a certificate and its key: {e.Message}", "Put a PEM certificate and its unencrypted key there, or remove both: new ones are made.", e);
        }
    }

    static void Create(string certificatePath, string keyPath, IEnumerable<IPAddress> addresses, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var host = Dns.GetHostName();
        var request = new CertificateRequest($"CN={host.Replace(",", "", StringComparison.Ordinal)}, O=GridAppliance", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        names.AddDnsName("localhost");
        foreach (var address in addresses.Where(a => !a.Equals(IPAddress.Any) && !a.Equals(IPAddress.IPv6Any))) names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false)); // server authentication
        using var made = request.CreateSelfSigned(now.AddDays(-1), now + Life);
        // The key first: a certificate without its key would never be replaced.
        SecretFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        SecretFile.Write(certificatePath, made.ExportCertificatePem());
    }
}
