using GridAppliance.Lab.Machine;

namespace GridAppliance.EndToEnd.Images;

public sealed class DebianMirrorTests
{
    [LabFact]
    public async Task A_mirror_that_is_away_makes_no_image_says_which_it_was_and_leaves_the_one_that_is_there()
    {
        var folder = Directory.CreateTempSubdirectory("ga-mirror-").FullName;
        try
        {
            var (sources, apt, image) = (Path.Combine(folder, "sources.list"), Path.Combine(folder, "apt.conf"), Path.Combine(folder, "image"));
            // Nobody listens there.
            await File.WriteAllTextAsync(sources, "deb http://127.0.0.1:9/debian bookworm main\n");
            await File.WriteAllTextAsync(apt, $"Dir::Etc::sourcelist \"{sources}\";\nDir::Etc::sourceparts \"-\";\n");
            Directory.CreateDirectory(image);
            await File.WriteAllTextAsync(Path.Combine(image, "manifest.json"), "the one before");

            var (exitCode, output, _) = await Command.TryRunAsync(
                ["/usr/bin/env", $"APT_CONFIG={apt}", Path.Combine(NodeImage.Repository, "firmware-images/build-debian.sh"), image, Path.Combine(folder, "cache")], CancellationToken.None);

            Assert.NotEqual(0, exitCode);
            Assert.Contains("nothing was made", output, StringComparison.Ordinal);
            Assert.Contains("http://127.0.0.1:9/debian", output, StringComparison.Ordinal);
            Assert.Equal(["manifest.json"], Directory.GetFiles(image).Select(Path.GetFileName));
            Assert.Equal("the one before", await File.ReadAllTextAsync(Path.Combine(image, "manifest.json")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
