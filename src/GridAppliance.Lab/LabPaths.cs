namespace GridAppliance.Lab;

/// <summary>Where one lab instance keeps its files: all below one directory, so that removing it removes them.</summary>
sealed record LabPaths(LabName Name)
{
    /// <summary>Parent of every instance's directory.</summary>
    public const string Everything = "/run/gridlab";

    public string Root => $"{Everything}/{Name}";
    public string State => $"{Root}/lab.json";
    public string Logs => $"{Root}/logs";
    public string Pids => $"{Root}/pids";

    public string SwitchDirectory => $"{Root}/switch";
    public string SwitchDatabase => $"{SwitchDirectory}/conf.db";
    public string SwitchSocket => $"{SwitchDirectory}/db.sock";

    /// <summary>The passphrases of the switch's user, for the appliance.</summary>
    public string SwitchSecret => $"{Root}/switch.secret";

    public string Configuration => $"{Root}/appliance.yaml";
    public string NotifySocket => $"{Root}/notify.sock";
    public string ApiSocket => $"{Root}/api.sock";
    /// <summary>A small file system of its own, so that a full disk can be had without filling this machine's.</summary>
    public string Data => $"{Root}/data";
    public string PortalAddress => $"{Root}/portal.url";

    public string Log(string process) => $"{Logs}/{process}.log";
    public string Pid(string process) => $"{Pids}/{process}.pid";
    public string Server(string server) => $"{Root}/servers/{server}";
}
