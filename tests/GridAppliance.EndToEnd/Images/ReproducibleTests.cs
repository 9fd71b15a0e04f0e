namespace GridAppliance.EndToEnd.Images;

public sealed class ReproducibleTests
{
    [LabFact]
    public async Task The_same_inputs_give_the_same_bytes_in_another_folder_at_another_time_on_a_machine_of_another_name()
    {
        // The agent's compilation, most of the time it takes, is in 'make image-verify' alone.
        var said = await NodeImage.RunAsync(
            [Path.Combine(NodeImage.Repository, "firmware-images/verify-image.sh"), "virtual", Path.Combine(NodeImage.Repository, "artifacts/cache"), "--quick"], "two compositions of the image");

        Assert.Contains("two builds in two places, the same bytes", said, StringComparison.Ordinal);
    }
}
