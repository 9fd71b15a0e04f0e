using System.Globalization;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Store;
using Microsoft.Data.Sqlite;

namespace GridAppliance.Modules;

/// <summary>The catalogue's table. One content for a name and version, whatever the code above believes.</summary>
static class ModuleStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("modules-1", """
            CREATE TABLE module(digest TEXT PRIMARY KEY, archive_digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, version TEXT NOT NULL, class TEXT NOT NULL, summary TEXT,
                                size INTEGER NOT NULL, signed_by TEXT NOT NULL, imported TEXT NOT NULL, UNIQUE(name, version)) STRICT;
            """),
        new("modules-2", """
            ALTER TABLE module ADD COLUMN manifest TEXT;
            CREATE TABLE module_changes(node TEXT NOT NULL, module TEXT NOT NULL, told TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY(node, module)) STRICT;
            """),
        new("modules-3", "ALTER TABLE module_changes ADD COLUMN lost TEXT;"),
    ];

    public static List<CatalogEntry> Load(SqliteConnection connection) => connection.Query(
        "SELECT digest, archive_digest, name, version, class, summary, size, signed_by, imported, manifest FROM module ORDER BY imported",
        static row => new CatalogEntry(new()
        {
            Digest = row.GetString(0), Name = row.GetString(2), Version = row.GetString(3), Class = row.GetString(4), Summary = row.IsDBNull(5) ? null : row.GetString(5),
            SizeBytes = row.GetInt64(6), SignedBy = row.GetString(7),
        }, ManifestIn(row), row.GetString(1), DateTimeOffset.Parse(row.GetString(8), CultureInfo.InvariantCulture)));

    public static void Insert(SqliteConnection connection, CatalogEntry entry) => connection.Run("""
        INSERT INTO module(digest, archive_digest, name, version, class, summary, size, signed_by, imported, manifest)
        VALUES ($digest, $archive, $name, $version, $class, $summary, $size, $signed, $imported, $manifest)
        """,
        ("$digest", entry.Module.Digest), ("$archive", entry.ArchiveDigest), ("$name", entry.Module.Name), ("$version", entry.Module.Version), ("$class", entry.Module.Class),
        ("$summary", entry.Module.Summary), ("$size", entry.Module.SizeBytes), ("$signed", entry.Module.SignedBy), ("$imported", entry.Imported.ToString("O")),
        ("$manifest", JsonSerializer.Serialize(entry.Manifest, ApiJson.Default.ModuleManifest)));

    /// <summary>A module from before manifests were kept needed nothing and changed nothing.</summary>
    static ModuleManifest ManifestIn(SqliteDataReader row) => (row.IsDBNull(9) ? null : JsonSerializer.Deserialize(row.GetString(9), ApiJson.Default.ModuleManifest))
        ?? new() { Name = row.GetString(2), Version = row.GetString(3), Class = row.GetString(4) };
}
