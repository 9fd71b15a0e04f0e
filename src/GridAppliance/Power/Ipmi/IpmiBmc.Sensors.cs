using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Events;
using GridAppliance.Protocols.Ipmi.Fru;
using GridAppliance.Protocols.Ipmi.Sensors;

namespace GridAppliance.Power.Ipmi;

/// <summary>Sensors, event log and inventory: what takes a repository to be walked.</summary>
sealed partial class IpmiBmc
{
    const byte WholeRecord = 0xFF;
    /// <summary>What every BMC can return at once.</summary>
    const byte PieceLength = 16;
    /// <summary>Records and log entries that are read at most: a chain that bites its own tail ends here.</summary>
    const int MaxRecords = 4096;
    const int MaxFru = 64 * 1024;
    const int ReservationAttempts = 4;

    /// <summary>The repository as it was last read; good as long as the BMC's stamp is the same.</summary>
    SdrCopy? sdrs;

    sealed record SdrCopy(SdrRepositoryInfo Stamp, IReadOnlyList<byte[]> Records);

    public async Task<IReadOnlyList<SensorReading>> ReadSensorsAsync(CancellationToken cancellationToken)
    {
        List<SensorReading> readings = [];
        foreach (var record in await ReadSdrsAsync(cancellationToken))
        {
            // Sensors of other controllers are behind a bridge and are left to those who know it.
            if (!SensorRecord.TryRead(record, out var sensor) || sensor.Owner != IpmbMessage.BmcAddress) continue;
            for (byte i = 0; i < sensor.Shared; i++)
            {
                var answer = await owner.TryAskAsync(new GetSensorReading((byte)(sensor.Number + i), sensor.Lun), cancellationToken);
                readings.Add(Read(sensor, i, answer));
            }
        }
        return readings;
    }

    public async Task<EventLogSize> GetEventLogSizeAsync(CancellationToken cancellationToken)
    {
        var state = await owner.AskAsync(new GetEventLogInfo(), cancellationToken);
        return new(state.Entries, state.HasOverflowed);
    }

    public async Task<IReadOnlyList<DeviceEvent>> ReadEventsAsync(CancellationToken cancellationToken)
    {
        List<DeviceEvent> events = [];
        if ((await owner.AskAsync(new GetEventLogInfo(), cancellationToken)).Entries == 0) return events;
        var names = await SensorNamesAsync(cancellationToken);
        for (var next = RecordPiece.First; next != RecordPiece.Last && events.Count < MaxRecords;)
        {
            var answer = await owner.TryAskAsync(new GetEventLogEntry(next), cancellationToken);
            // Cleared by somebody else while it was read.
            if (answer.Code == CompletionCode.NotPresent) break;
            if (answer.Code != CompletionCode.Ok) throw owner.Refusal(new GetEventLogEntry(next), answer.Code);
            var (following, entry) = answer.Value;
            events.Add(Tell(entry, names));
            if (following == next) break;
            next = following;
        }
        return events;
    }

    public async Task ClearEventsAsync(CancellationToken cancellationToken)
    {
        var reservation = await owner.AskAsync(new ReserveEventLog(), cancellationToken);
        if (await owner.AskAsync(new ClearEventLog(reservation, Start: true), cancellationToken)) return;
        // Some BMCs erase for seconds; each question is a request of its own, so other callers get their turn.
        for (var asked = 0; asked < 100; asked++)
        {
            if (await owner.AskAsync(new ClearEventLog(reservation, Start: false), cancellationToken)) return;
            await Task.Delay(TimeSpan.FromMilliseconds(200), owner.Clock, cancellationToken);
        }
        throw owner.Nonsense("says for a long time that it is erasing its event log");
    }

    public async Task<IReadOnlyList<PartLabel>> ReadPartsAsync(CancellationToken cancellationToken)
    {
        List<PartLabel> parts = [];
        var named = new HashSet<byte>();
        foreach (var record in await ReadSdrsAsync(cancellationToken))
        {
            if (!FruLocator.TryRead(record, out var locator) || !locator.IsReadThroughBmc || !named.Add(locator.Device)) continue;
            if (await ReadPartAsync(locator.Device, locator.Name, cancellationToken) is { } part) parts.Add(part);
        }
        // Device 0 is the machine itself, and need not have a locator.
        if (named.Add(0) && await ReadPartAsync(0, "Builtin FRU Device", cancellationToken) is { } builtin) parts.Insert(0, builtin);
        return parts;
    }

    public async Task<IReadOnlyList<Guid>> ReadSystemUuidAsync(CancellationToken cancellationToken)
    {
        var answer = await owner.TryAskAsync(new GetSystemGuid(), cancellationToken);
        if (answer.Code != CompletionCode.Ok || answer.Value.Value == 0) return [];
        return [answer.Value.FromSmbiosOrder(), answer.Value.FromWireOrder(), answer.Value.FromIpmiOrder()];
    }

    async Task<IReadOnlyList<byte[]>> ReadSdrsAsync(CancellationToken cancellationToken)
    {
        var info = await owner.TryAskAsync(new GetSdrRepositoryInfo(), cancellationToken);
        if (info.Code != CompletionCode.Ok) return [];
        if (sdrs is { } copy && copy.Stamp == info.Value) return copy.Records;
        for (var attempt = 0; attempt < ReservationAttempts; attempt++)
        {
            var records = await WalkSdrsAsync(info.Value.Records, cancellationToken);
            if (records is null) continue;
            sdrs = new(info.Value, records);
            return records;
        }
        throw owner.Nonsense("changes its sensor records faster than they can be read");
    }

    /// <summary>Null when the reservation was lost on the way.</summary>
    async Task<IReadOnlyList<byte[]>?> WalkSdrsAsync(int count, CancellationToken cancellationToken)
    {
        List<byte[]> records = [];
        if (count == 0) return records;
        var reservation = await owner.AskAsync(new ReserveSdrRepository(), cancellationToken);
        for (var next = RecordPiece.First; next != RecordPiece.Last && records.Count < MaxRecords;)
        {
            var whole = await owner.TryAskAsync(new GetSdr(reservation, next, 0, WholeRecord), cancellationToken);
            if (whole.Code == CompletionCode.ReservationLost) return null;
            var piece = whole.Code == CompletionCode.Ok ? whole.Value! : await ReadInPiecesAsync(reservation, next, cancellationToken);
            if (piece is null) return null;
            records.Add(piece.Octets.ToArray());
            if (piece.Next == next) break;
            next = piece.Next;
        }
        return records;
    }

    /// <summary>For BMCs that cannot return a record at once (completion code CAh, among others).</summary>
    async Task<RecordPiece?> ReadInPiecesAsync(RepositoryReservation reservation, ushort record, CancellationToken cancellationToken)
    {
        var octets = new List<byte>();
        var total = SdrHeader.Length;
        var following = RecordPiece.Last;
        while (octets.Count < total)
        {
            var count = (byte)Math.Min(PieceLength, total - octets.Count);
            var request = new GetSdr(reservation, record, (byte)octets.Count, count);
            var answer = await owner.TryAskAsync(request, cancellationToken);
            if (answer.Code == CompletionCode.ReservationLost) return null;
            if (answer.Code != CompletionCode.Ok) throw owner.Refusal(request, answer.Code);
            if (answer.Value!.Octets.IsEmpty) throw owner.Nonsense("sends empty pieces of a sensor record");
            octets.AddRange(answer.Value.Octets.Span);
            following = answer.Value.Next;
            if (total == SdrHeader.Length && SdrHeader.TryRead(octets.ToArray(), out var header)) total = Math.Min(byte.MaxValue, SdrHeader.Length + header.BodyLength);
        }
        return new(following, octets.ToArray());
    }

    async Task<PartLabel?> ReadPartAsync(byte device, string name, CancellationToken cancellationToken)
    {
        var area = await owner.TryAskAsync(new GetFruArea(device), cancellationToken);
        if (area.Code != CompletionCode.Ok) return null;
        var image = new List<byte>();
        var unit = area.Value.ByWords ? 2 : 1;
        var size = Math.Min(area.Value.Size * unit, MaxFru);
        while (image.Count < size)
        {
            var count = Math.Min(PieceLength, size - image.Count);
            var piece = await owner.TryAskAsync(new ReadFruData(device, (ushort)(image.Count / unit), (byte)(count / unit)), cancellationToken);
            // An inventory shorter than its memory ends early on some BMCs: what came is read.
            if (piece.Code != CompletionCode.Ok || piece.Value.IsEmpty) break;
            image.AddRange(piece.Value.Span);
        }
        return FruInventory.TryRead(image.ToArray(), out var fru, out _) ? Label(name, fru) : null;
    }

    static PartLabel Label(string name, FruInventory fru) => new()
    {
        Name = name,
        Maker = Known(fru.Product?.Maker) ?? Known(fru.Board?.Maker),
        Product = Known(fru.Product?.Name) ?? Known(fru.Board?.Product),
        PartNumber = Known(fru.Product?.PartNumber) ?? Known(fru.Board?.PartNumber),
        Serial = Known(fru.Product?.Serial) ?? Known(fru.Board?.Serial),
        AssetTag = Known(fru.Product?.AssetTag),
        ChassisSerial = Known(fru.Chassis?.Serial),
        Made = fru.Board?.Made,
    };

    static string? Known(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    static SensorReading Read(SensorRecord sensor, byte share, IpmiAnswer<RawReading> answer)
    {
        var isThere = answer.Code == CompletionCode.Ok && answer.Value is { IsAvailable: true, IsScanned: true };
        var raw = answer.Value;
        return new()
        {
            Name = sensor.Shared > 1 ? $"{sensor.Name} {share + 1}" : sensor.Name,
            Kind = EventText.SensorType(sensor.SensorType),
            Unit = sensor.Conversion is null ? "" : sensor.Unit.ToString(),
            Value = isThere && sensor.IsThreshold ? sensor.Conversion?.ToValue(raw.Value) : null,
            States = isThere ? raw.States : (ushort)0,
            Health = !isThere ? SensorHealth.Unknown : sensor.IsThreshold ? HealthOf(raw.States) : SensorHealth.Ok,
        };
    }

    /// <summary>Threshold states (IPMI 2.0, table 35-19): bit 0 and 3 non-critical, 1 and 4 critical, 2 and 5 non-recoverable.</summary>
    static SensorHealth HealthOf(ushort states) =>
        (states & 0b10_0100) != 0 ? SensorHealth.Failed : (states & 0b01_0010) != 0 ? SensorHealth.Critical : (states & 0b00_1001) != 0 ? SensorHealth.Warning : SensorHealth.Ok;

    async Task<Dictionary<(byte Type, byte Number), string>> SensorNamesAsync(CancellationToken cancellationToken)
    {
        var names = new Dictionary<(byte, byte), string>();
        foreach (var record in await ReadSdrsAsync(cancellationToken))
        {
            if (SensorRecord.TryRead(record, out var sensor)) names[(sensor.SensorType, sensor.Number)] = sensor.Name;
        }
        return names;
    }

    static DeviceEvent Tell(SelEntry entry, Dictionary<(byte Type, byte Number), string> names) => new()
    {
        Id = entry.Record.ToString("x4"),
        At = entry.Time,
        Source = entry.IsOem ? "OEM" : names.GetValueOrDefault((entry.SensorType, entry.Sensor)) ?? $"{EventText.SensorType(entry.SensorType)} #{entry.Sensor:x2}",
        Text = EventText.Describe(entry),
        IsOver = entry.IsDeassertion,
    };
}
