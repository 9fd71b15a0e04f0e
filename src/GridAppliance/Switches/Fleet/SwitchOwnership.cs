using GridAppliance.Hosting;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Fleet;

enum Ownership
{
    /// <summary>Not looked at yet.</summary>
    Unknown,
    /// <summary>Nobody's mark is on it.</summary>
    Free,
    Ours,
    /// <summary>Another appliance's mark is on it.</summary>
    Theirs,
    /// <summary>It takes no mark: nothing keeps a second appliance away.</summary>
    Unmarkable,
}

/// <summary>Looks for the mark before each go of changes, and puts ours on a switch that is nobody's.</summary>
sealed class SwitchOwnership(IIdentifiedSwitch device, SwitchMark own)
{
    volatile SwitchMark? found;
    volatile int state;

    public Ownership State => (Ownership)state;

    /// <summary>Whose it was when it was last looked at.</summary>
    public SwitchMark? Owner => found;

    /// <summary>Takes note of what a reading found.</summary>
    public void Saw(string contact)
    {
        found = SwitchMark.Read(contact);
        var next = found is null ? Ownership.Free : found.Id == own.Id ? Ownership.Ours : Ownership.Theirs;
        // A switch that refused the mark is free for ever: that it takes none is the better answer.
        state = (int)(next == Ownership.Free && State == Ownership.Unmarkable ? Ownership.Unmarkable : next);
    }

    /// <summary>Why the switch must not be written to; null when it is ours, after this if need be.</summary>
    /// <exception cref="DeviceException">It cannot be asked.</exception>
    public async Task<string?> ClaimAsync(bool isTakeOver, CancellationToken cancellationToken)
    {
        var contact = (await device.ReadIdentityAsync(cancellationToken)).Contact;
        Saw(contact);
        if (State is Ownership.Ours or Ownership.Unmarkable) return null;
        if (State == Ownership.Theirs && !isTakeOver) return Refusal;
        var refused = await device.WriteContactAsync(own.In(contact), cancellationToken);
        // Read back: of two that claim at once the later one has it.
        Saw((await device.ReadIdentityAsync(cancellationToken)).Contact);
        if (State == Ownership.Theirs) return Refusal;
        if (State == Ownership.Free || refused is not null) state = (int)Ownership.Unmarkable;
        return null;
    }

    /// <summary>Takes our mark off; a switch that is another's is left alone.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var contact = (await device.ReadIdentityAsync(cancellationToken)).Contact;
        Saw(contact);
        if (State != Ownership.Ours) return;
        await device.WriteContactAsync(SwitchMark.Without(contact), cancellationToken);
        (found, state) = (null, (int)Ownership.Free);
    }

    string Refusal => $"it belongs to the appliance '{Owner!.Name}' ({Owner.Id})";
}
