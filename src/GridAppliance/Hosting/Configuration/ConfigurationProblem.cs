namespace GridAppliance.Hosting.Configuration;

/// <summary>One thing that is wrong with a configuration file.</summary>
/// <param name="Line">Counted from 1; 0 when the file itself is the problem.</param>
/// <param name="Key">Path of the key, such as <c>networks[0].dhcp.range</c>.</param>
sealed record ConfigurationProblem(string File, int Line, string Key, string Message)
{
    public override string ToString() => $"{File}{(Line == 0 ? "" : $":{Line}")}: {(Key.Length == 0 ? "" : $"{Key}: ")}{Message}";
}
