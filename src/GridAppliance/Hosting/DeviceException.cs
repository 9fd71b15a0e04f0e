namespace GridAppliance.Hosting;

/// <summary>What went wrong with a device, in terms that decide what to do next.</summary>
enum DeviceFault
{
    /// <summary>Nothing answers at its address.</summary>
    Unreachable,
    /// <summary>It answered before, and stopped in the middle.</summary>
    TimedOut,
    /// <summary>Account or password are not right. Never tried again by itself: devices lock accounts.</summary>
    CredentialsRefused,
    /// <summary>It understood and said no.</summary>
    Refused,
    /// <summary>It has no such function.</summary>
    Unsupported,
    /// <summary>It has no room or no time now.</summary>
    Busy,
    /// <summary>It offers only what is not safe to use.</summary>
    Insecure,
    /// <summary>It sent something that makes no sense.</summary>
    Nonsense,
}

/// <summary>A device or the way to it failed.</summary>
/// <param name="fault">What kind of failure.</param>
/// <param name="device">The device's address, as an operator knows it.</param>
/// <param name="message">What happened, in a sentence without the device's name.</param>
/// <param name="isTransient">Whether the same call may succeed later with nothing changed.</param>
/// <param name="inner">The cause, where there is one.</param>
sealed class DeviceException(DeviceFault fault, string device, string message, bool isTransient, Exception? inner = null) : Exception($"{device}: {message}", inner)
{
    public DeviceFault Fault { get; } = fault;
    public string Device { get; } = device;
    public bool IsTransient { get; } = isTransient;
}
