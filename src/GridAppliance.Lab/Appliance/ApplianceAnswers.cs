using GridAppliance.Api.Client;

namespace GridAppliance.Lab.Appliance;

static class ApplianceAnswers
{
    /// <summary>The answer, or null when the appliance is away, starting or busy: a lab kills its appliance on purpose, and looks again.</summary>
    public static async Task<T?> OrNullWhenAway<T>(this Task<T> answer) where T : class
    {
        try
        {
            return await answer;
        }
        catch (ApplianceException)
        {
            return null;
        }
    }
}
