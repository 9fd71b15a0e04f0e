// Most of these tests wait: for a program of others, a namespace, a disk. Six at once keep two processors busy; one for each processor left a third of one idle.
[assembly: CollectionBehavior(MaxParallelThreads = 6)]
