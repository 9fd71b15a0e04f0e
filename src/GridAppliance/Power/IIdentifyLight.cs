namespace GridAppliance.Power;

enum IdentifyLight { Unknown, Off, Blinking, On }

interface IIdentifyLight
{
    Task<IdentifyLight> GetIdentifyAsync(CancellationToken cancellationToken);

    /// <param name="duration">Null: until told otherwise; zero: off.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task IdentifyAsync(TimeSpan? duration, CancellationToken cancellationToken);
}
