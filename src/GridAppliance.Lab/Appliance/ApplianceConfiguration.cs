using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Appliance;

/// <summary>Writes the appliance's configuration file; every value comes from the plan and is a name, a number or a path of our own.</summary>
static class ApplianceConfiguration
{
    public static string Text(LabPlan plan, string bootFiles, string switchSecret) =>
        $$"""
        # Written by gridlab for the lab '{{plan.Name}}'.
        name: {{plan.Name}}
        dataDir: {{plan.Paths.Data}}
        bootFiles: '{{bootFiles.Replace("'", "''", StringComparison.Ordinal)}}'
        store: sqlite
        management:
          listen: [ "unix:{{plan.Paths.ApiSocket}}", "http://127.0.0.1:{{LabAppliance.ManagementPort}}" ]
        networks:
          - name: provisioning
            interface: {{plan.Appliance.Interface}}
            address: {{plan.Appliance.Address}}
            dhcp: { mode: server, range: {{plan.Appliance.Range}}, leaseTime: 10m }
            boot: true
            guard: { mode: on, allow: [10.77.0.9] }
        policy:
          enroll: {{plan.Appliance.Enroll}}
        switches:
          - name: {{LabSwitch.Name}}
            address: snmp+qbridge://{{LabSwitch.ManagementAddress}}
            user: {{LabSwitch.SnmpUser}}
            secretFile: '{{switchSecret}}'
            ports: [ {{string.Join(", ", plan.Servers.Select(server => server.Tap))}} ]
            vlans: [ {{LabSwitch.ProvisioningVlan}}, 200-299, {{LabSwitch.WrongVlan}} ]

        """;
}
