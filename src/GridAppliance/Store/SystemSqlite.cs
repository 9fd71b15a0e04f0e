using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace GridAppliance.Store;

/// <summary>Points the SQLite provider at the distribution's own library, so that its security updates are ours.</summary>
static class SystemSqlite
{
    static readonly Lazy<bool> Ready = new(Load);

    public static void Use() => _ = Ready.Value;

    static bool Load()
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    }

    static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" ? NativeLibrary.Load("libsqlite3.so.0") : nint.Zero;
}
