namespace GridAppliance.Lab;

/// <summary>Something that the person at the keyboard can understand and act on: the message is all they see.</summary>
sealed class LabException(string message, Exception? inner = null) : Exception(message, inner);
