namespace GridAppliance.Hosting;

/// <summary>Something outside the daemon keeps it from starting. The message is one sentence for the operator that ends in what to do; no stack trace helps.</summary>
sealed class CannotStartException(string sentence, Exception? inner = null) : Exception(sentence, inner);
