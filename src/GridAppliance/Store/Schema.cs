using GridAppliance.Agents;
using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Fabric;
using GridAppliance.Grids;
using GridAppliance.Guard;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power.Ports;
using GridAppliance.Resources;
using GridAppliance.San;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Store;

/// <summary>Every feature's migrations, in the order in which they apply: one line per feature.</summary>
static class Schema
{
    public static IReadOnlyList<Migration> All { get; } =
    [
        .. NodeStore.Migrations,
        .. Timeline.Migrations,
        .. OperationJournal.Migrations,
        .. BootAttemptStore.Migrations,
        .. LeaseStore.Migrations,
        .. AgentSessions.Migrations,
        .. AgentOrderStore.Migrations,
        .. SwitchJournal.Migrations,
        .. SwitchStore.Migrations,
        .. CablingStore.Migrations,
        .. SwitchIntents.Migrations,
        .. SanFabrics.Migrations,
        .. SanBoots.Migrations,
        .. ZoneStore.Migrations,
        .. TimedAccess.Migrations,
        .. ModuleStore.Migrations,
        .. PortStore.Migrations,
        .. PortPinStore.Migrations,
        .. ResourceStore.Migrations,
        .. GridDirectory.Migrations,
    ];
}
