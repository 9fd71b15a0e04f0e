namespace GridAppliance.Protocols.Netlink;

public enum NftMessage { NewTable = 0, NewChain = 3, GetChain = 4, NewRule = 6, NewSet = 9, NewMember = 12, GetMembers = 13, DeleteMember = 14, NewObject = 18, GetObjects = 19 }

/// <summary>What the members of a set are.</summary>
public enum NftKey { Mac, Ipv4, MacAndIpv4 }

/// <summary>Where octets of a frame are counted from.</summary>
public enum NftHeader : uint { Link = 0, Network = 1, Transport = 2 }
