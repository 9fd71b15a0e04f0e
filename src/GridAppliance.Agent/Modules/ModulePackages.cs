using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>Fetches packages from the appliance, and unpacks those that are what the order named and that the appliance has signed.</summary>
sealed class ModulePackages(AgentPaths paths, ApplianceCalls calls, string trustedFingerprint, TimeProvider clock)
{
    /// <summary>How long an appliance may be away in the middle of its own order.</summary>
    static readonly TimeSpan ApplianceAway = TimeSpan.FromMinutes(10);

    const int MostRefusals = 3;

    public static string OwnIn(string staging) => Path.Combine(staging, "own");

    public static string RootIn(string staging) => Path.Combine(staging, "root");

    /// <summary>Whether an order names a package that can be asked for: its digest becomes a part of a path.</summary>
    public static bool IsAcceptable(ModuleOrder order) => ModuleManifest.IsName(order.Name) && ModuleManifest.IsVersion(order.Version)
        && order.Digest.Length == 64 && order.Digest.All(char.IsAsciiHexDigitLower) && order.SizeBytes is > 0 and <= PackageReader.MaximumBytes;

    /// <returns>The manifest, or why the package is not unpacked into <paramref name="staging"/>.</returns>
    public async Task<FetchedPackage> FetchAsync(ModuleOrder order, CallSigner signer, string staging, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(paths.Incoming);
        await using var package = new FileStream(Path.Combine(paths.Incoming, order.Digest), new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        });
        var answer = await DownloadAsync(order, signer, package, cancellationToken);
        if (!answer.Succeeded) return new(null, $"the package could not be fetched: {answer.Problem}");
        package.Position = 0;
        var problem = PackageReader.Verify(package, trustedFingerprint);
        if (problem != PackageProblem.None) return new(null, $"the package is refused: {problem.Say()}");
        var verdict = PackageReader.Unpack(package, Directory.CreateDirectory(OwnIn(staging)).FullName, RootIn(staging));
        return verdict.IsAccepted ? new(verdict.Manifest, null) : new(null, $"the package is refused: {verdict.Said}");
    }

    /// <summary>Gets the package. An appliance that is away is no answer: it ordered this, and is asked again until it is back or <see cref="ApplianceAway"/> is over.</summary>
    async Task<Answer> DownloadAsync(ModuleOrder order, CallSigner signer, FileStream package, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(Random.Shared);
        var began = clock.GetTimestamp();
        for (var refused = 0; ;)
        {
            package.SetLength(0);
            var answer = await calls.DownloadAsync(signer, order.Digest, order.SizeBytes, package, cancellationToken);
            // A heartbeat that was signed later and came first makes this call an old one; signed anew it is none.
            if (answer.IsUnknownKey && refused++ < MostRefusals) continue;
            if (answer.Arrived || clock.GetElapsedTime(began) > ApplianceAway) return answer;
            await Task.Delay(backoff.Next(), clock, cancellationToken);
        }
    }
}

/// <summary>What a package's manifest says, or why it was not unpacked.</summary>
readonly record struct FetchedPackage(ModuleManifest? Manifest, string? Problem);
