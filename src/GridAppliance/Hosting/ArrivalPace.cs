namespace GridAppliance.Hosting;

/// <summary>Whether datagrams come so thick and fast that it pays to let them gather. Told anew for each stretch of many: an answer or two more is no reason.</summary>
struct ArrivalPace
{
    public const int Stretch = 256;
    /// <summary>A stretch in less than this: two thousand datagrams a second.</summary>
    public const long ShortMilliseconds = 128;

    int count;
    long began;
    bool isHigh;

    /// <param name="more">Datagrams that have just come.</param>
    /// <param name="now">Milliseconds from anywhere.</param>
    public bool IsHighWith(int more, long now)
    {
        if ((count += more) < Stretch) return isHigh;
        (isHigh, count, began) = (now - began < ShortMilliseconds, 0, now);
        return isHigh;
    }
}
