using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches;

/// <summary>What it still takes to take a half-done change back.</summary>
/// <param name="Writes">In their order; none when all is as it was before the change.</param>
/// <param name="Left">In words, what is not as it was before and cannot be made so.</param>
sealed record TakeBackPlan(ImmutableArray<VlanWrite> Writes, ImmutableArray<string> Left)
{
    /// <summary>A step of IF-MIB, which all switches have; null when it is done or must not be.</summary>
    public static Varbind? InterfaceStep(Varbind undo, SwitchSnapshot now, SwitchPolicy policy, List<string> left)
    {
        var isAlias = undo.Name.StartsWith(QBridgeMib.InterfaceAlias);
        if (undo.Name.Below(isAlias ? QBridgeMib.InterfaceAlias : QBridgeMib.InterfaceAdminStatus) is not [var index]) return null;
        if (now.Ports.Values.FirstOrDefault(p => p.IfIndex == (int)index) is not { } port)
        {
            left.Add($"interface {index} is gone");
            return null;
        }
        if (isAlias ? port.Description == undo.Value.AsText.Trim('\0', ' ') : undo.Value.TryGetInt32(out var status) && port.IsEnabled == (status == 1)) return null;
        if (policy.MayWrite(port.Number)) return undo;
        left.Add($"{port.Name} is not ours to write any more");
        return null;
    }
}
