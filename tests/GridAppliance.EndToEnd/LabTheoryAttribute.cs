namespace GridAppliance.EndToEnd;

/// <summary>As <see cref="LabFactAttribute"/>, for a row a test.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LabTheoryAttribute : TheoryAttribute
{
    public LabTheoryAttribute() => Skip = new LabFactAttribute().Skip;
}
