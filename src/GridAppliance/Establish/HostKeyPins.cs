using System.Security.Cryptography;
using System.Text;
using GridAppliance.Api.Establish;

namespace GridAppliance.Establish;

/// <summary>
/// The key by which each machine is known again: a known_hosts file for each, under one name, because the machine's is the file's. ssh itself writes it at the first meeting and
/// compares with it ever after.
/// </summary>
sealed class HostKeyPins(SshFolder folder)
{
    /// <summary>What every machine is called in its own file.</summary>
    public const string Alias = "machine";

    public string FileOf(MachineAddress machine) => Path.Combine(folder.HostKeys, $"{machine.Host}_{machine.Port}");

    public bool IsPinned(MachineAddress machine) => Fingerprint(machine) is not null;

    /// <summary>As <c>ssh-keygen -l</c> prints it; null when the machine has not been met.</summary>
    public string? Fingerprint(MachineAddress machine)
    {
        if (!File.Exists(FileOf(machine))) return null;
        foreach (var line in File.ReadLines(FileOf(machine)))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var blob = new byte[4096];
            if (words.Length >= 3 && Convert.TryFromBase64String(words[2], blob, out var length)) return $"SHA256:{Convert.ToBase64String(SHA256.HashData(blob.AsSpan(0, length))).TrimEnd('=')}";
        }
        return null;
    }

    /// <summary>Pins what an administrator's known_hosts file says of a machine, whatever was pinned before: it is how a machine gets to be known under a new key.</summary>
    /// <returns>False when the file does not name the machine.</returns>
    public bool TryPin(MachineAddress machine, string knownHosts)
    {
        var name = machine.Port == MachineAddress.SshPort ? machine.Host : $"[{machine.Host}]:{machine.Port}";
        var lines = new StringBuilder();
        foreach (var line in knownHosts.Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            // @cert-authority and @revoked begin a line of four words: such a machine counts as not named.
            if (words.Length < 3 || words[0][0] is '#' or '@' || !words[0].Split(',').Any(pattern => Names(pattern, name))) continue;
            if (words[1].All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '@') && Convert.TryFromBase64String(words[2], new byte[8192], out _)) lines.Append($"{Alias} {words[1]} {words[2]}\n");
        }
        if (lines.Length == 0) return false;
        var file = FileOf(machine);
        File.WriteAllText(file + ".new", lines.ToString());
        File.Move(file + ".new", file, overwrite: true);
        return true;
    }

    /// <summary>sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": the name itself, or <c>|1|SALT|HMAC-SHA1</c> of it.</summary>
    static bool Names(string pattern, string name)
    {
        if (!pattern.StartsWith("|1|", StringComparison.Ordinal)) return pattern.Equals(name, StringComparison.OrdinalIgnoreCase);
        var parts = pattern.Split('|');
        var (salt, hash) = (new byte[64], new byte[64]);
        if (parts.Length != 4 || !Convert.TryFromBase64String(parts[2], salt, out var saltLength) || !Convert.TryFromBase64String(parts[3], hash, out var hashLength)) return false;
#pragma warning disable CA5350 // OpenSSH's format: it hides names, it protects nothing.
        return HMACSHA1.HashData(salt.AsSpan(0, saltLength), Encoding.UTF8.GetBytes(name)).AsSpan().SequenceEqual(hash.AsSpan(0, hashLength));
#pragma warning restore CA5350
    }
}
