namespace GridAppliance.Lab;

/// <summary>Which node image the appliance of a lab serves; named after the profile that <c>make image</c> builds it by.</summary>
enum LabImage
{
    /// <summary>Small and quick: drivers for what the lab's servers are made of, and none for their BMCs.</summary>
    Virtual,
    /// <summary>What real servers boot; its nodes find their BMC by themselves.</summary>
    Metal,
}

static class LabImages
{
    public static string Profile(this LabImage image) => image switch { LabImage.Virtual => "virtual", LabImage.Metal => "metal" };

    /// <summary>A real server's drivers and firmware files want room to be unpacked in.</summary>
    public static int MemoryMiB(this LabImage image) => image switch { LabImage.Virtual => 512, LabImage.Metal => 1024 };
}
