using System.Globalization;
using GridAppliance.Api.Establish;
using GridAppliance.Boot.Http;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Establish;

abstract record SurveyAnswer
{
    SurveyAnswer() { }

    public sealed record Seen(MachineSurvey Survey) : SurveyAnswer;

    /// <param name="Reason">Why.</param>
    /// <param name="MayPass">Another try may bring another answer.</param>
    /// <param name="Survey">What was seen before it went wrong.</param>
    public sealed record Obstructed(string Reason, bool MayPass, MachineSurvey? Survey = null) : SurveyAnswer;
}

/// <summary>Looks at a machine: as the account, and as root, which shows that there is root to be had; at once where the account is root. Changes nothing there.</summary>
sealed class MachineSurveyor(IMachineDoor door, BootPlane plane)
{
    /// <summary>The boot plane's URL at an address of ours.</summary>
    public Uri? UrlAt(Ipv4Address address) => plane.Addresses.FirstOrDefault(url => url.Host == address.ToString());

    public async Task<SurveyAnswer> LookAsync(MachineAddress machine, CredentialLease lease, AgentFile agent, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> doors = [.. plane.Addresses.Select(static url => $"{url.Host} {url.Port.ToString(CultureInfo.InvariantCulture)}")];
        switch (await door.RunAsync(machine, lease, RemoteScript.Look, RemoteRights.Account, doors, null, cancellationToken))
        {
            case RemoteAnswer.Refused refused: return new SurveyAnswer.Obstructed(refused.Reason, MayPass: false);
            case RemoteAnswer.Unreachable unreachable: return new SurveyAnswer.Obstructed(unreachable.Reason, MayPass: true);
            case RemoteAnswer.Ran ran when MachineSurvey.From(ran) is { } survey: return await LookAsRootAsync(machine, lease, agent, survey with { Agent = MachineSurvey.AgentFrom(ran) }, cancellationToken);
            case RemoteAnswer.Ran ran: return new SurveyAnswer.Obstructed($"its shell does not run a script: {ran.Trouble}", MayPass: false);
            default: throw new InvalidOperationException("an answer of no known kind");
        }
    }

    async Task<SurveyAnswer> LookAsRootAsync(MachineAddress machine, CredentialLease lease, AgentFile agent, MachineSurvey survey, CancellationToken cancellationToken)
    {
        if (EstablishPlan.Obstacle(survey, agent) is { } obstacle) return new SurveyAnswer.Obstructed(obstacle, MayPass: false, survey);
        if (survey.Agent is not null) return new SurveyAnswer.Seen(survey);
        if (survey.Rights is RemoteRights.Sudo && lease.Credentials.ForSudo is null)
            return new SurveyAnswer.Obstructed("sudo asks for a password there, and none was given (--sudo-password-file)", MayPass: false, survey);
        return await door.RunAsync(machine, lease, RemoteScript.Whose, survey.Rights!.Value, [], null, cancellationToken) switch
        {
            RemoteAnswer.Refused refused => new SurveyAnswer.Obstructed(refused.Reason, MayPass: false, survey),
            RemoteAnswer.Unreachable unreachable => new SurveyAnswer.Obstructed(unreachable.Reason, MayPass: true, survey),
            RemoteAnswer.Ran ran when MachineSurvey.AgentFrom(ran) is { } there => new SurveyAnswer.Seen(survey with { Agent = there }),
            RemoteAnswer.Ran ran => new SurveyAnswer.Obstructed($"sudo says no: {SudoWords(ran.Errors, lease.Credentials.User)}", MayPass: false, survey),
            var other => throw new InvalidOperationException($"an answer of no known kind: {other}"),
        };
    }

    static string SudoWords(string errors, string user)
    {
        if (errors.Contains("not in the sudoers", StringComparison.Ordinal) || errors.Contains("not allowed to execute", StringComparison.Ordinal)) return $"{user} may not become root there";
        if (errors.Contains("incorrect password", StringComparison.Ordinal) || errors.Contains("no password was provided", StringComparison.Ordinal) || errors.Contains("Sorry, try again", StringComparison.Ordinal))
            return "the password is wrong";
        return RemoteAnswer.Short(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "nothing more");
    }
}
