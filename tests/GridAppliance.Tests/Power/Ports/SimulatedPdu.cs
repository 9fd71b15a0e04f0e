using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Power.Pdu;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Tests.Switches;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>An APC PDU of one outlet that is on.</summary>
static class SimulatedPdu
{
    public const int Outlet = 3;

    public static SnmpAgent Start(string community, AgentUser user)
    {
        var dialect = OutletDialect.Apc;
        var tree = new Recording([new(dialect.State.Append(Outlet), SnmpValue.Integer(1)), new(dialect.Command.Append(Outlet), SnmpValue.Integer(1)), new(dialect.Name.Append(Outlet), SnmpValue.Text("web 3"))]);
        var options = new AgentOptions { EngineId = [0x80, 0, 0, 0, 5, 1, 2, 3, 4], Communities = new Dictionary<string, AgentAccess> { [community] = AgentAccess.Read }, Users = [user] };
        return new(new(IPAddress.Loopback, 0), options, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
    }
}
