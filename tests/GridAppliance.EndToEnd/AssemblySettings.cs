// A server that boots keeps one processor busy and waits for much: two labs side by side take half the time of one after the other (6 minutes instead of 12), and more would only wait for each other.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
