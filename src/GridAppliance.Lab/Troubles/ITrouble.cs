namespace GridAppliance.Lab.Troubles;

/// <summary>A trouble that datacentres have, made on purpose. Making it twice or undoing what is not there does no harm.</summary>
interface ITrouble
{
    /// <summary>As it is asked for: <c>gridlab break NAME</c>.</summary>
    string Name { get; }

    /// <summary>What it does, for the list.</summary>
    string Summary { get; }

    /// <summary>Whether it happens to one server, named after it.</summary>
    bool NeedsServer { get; }

    /// <summary>What to look at now that it is made.</summary>
    string LookAt { get; }

    Task MakeAsync(LabRig rig, string server, CancellationToken cancellation);

    Task UndoAsync(LabRig rig, string server, CancellationToken cancellation);
}
