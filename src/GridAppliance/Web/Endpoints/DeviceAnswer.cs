using GridAppliance.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

/// <summary>What a device said to somebody who asked through us; that it could not be asked is no mistake of ours.</summary>
static class DeviceAnswer
{
    public static async Task<Results<Ok<T>, ProblemHttpResult>> OfAsync<T>(string nextStep, Func<Task<Results<Ok<T>, ProblemHttpResult>>> ask)
    {
        try
        {
            return await ask();
        }
        catch (DeviceException e)
        {
            return Problems.Answer(StatusCodes.Status502BadGateway, e.Message, nextStep);
        }
    }
}
