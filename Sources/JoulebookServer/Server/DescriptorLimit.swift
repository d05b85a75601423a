// File descriptors that a server opens besides its clients' connections:
//
//     standard streams 3, event loop 8, listeners 2 (clients, health), a health request 1,
//     a connection accepted only to be refused 1                                                 15
//     journal: folder 1, lock 1, segment 1, next segment and its zeros 2, a listing 1             6
//     settlement, retransmission, snapshots: listing, segment, snapshot each; one new snapshot   10
//     ledger: lock 1, database, log, index 3, two more while it is reopened                       6
//     ledger, read for lists of trades: database, log, index                                      3
//     configuration and certificates while they are read, random numbers                          4
//                                                                                       sum      44

import Glibc

/// The number of files and sockets that this process may have open.
public enum DescriptorLimit {
  /// Descriptors kept free for everything except clients' connections: the sum above and a margin.
  public static let reserve = 64

  /// Raises the soft limit to the hard limit. Shells and service managers often start a process
  /// with a soft limit of 1,024, which is too low for a server.
  /// - Returns: the limit now in force.
  @discardableResult public static func raise() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = raised.rlim_max
      // If raising is refused, the old limit stays in force and `require` checks it.
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Raises the limit and checks that it suffices.
  /// - Parameters:
  ///   - connections: Maximum number of simultaneous client connections.
  ///   - kept: Further ones, for administrators.
  /// - Throws: `configuration` if the server could run out of descriptors.
  static func require(connections: Int, kept: Int = 0) throws(StartError) {
    let (limit, others) = (raise(), reserve + kept)
    let needed = connections + others
    guard limit < needed else { return }
    guard limit > others else {
      throw .configuration(
        ConfigurationError(
          "this process may have \(limit) file descriptors, but a server needs at least "
            + "\(others + 1): \(reserve) for journal, ledger and tools, \(kept) for administrators "
            + "(client.kept), and one for each connection (connections is \(connections)). Raise the "
            + "limit (`ulimit -n \(needed)`, or LimitNOFILE=\(needed) in the unit)"
        ))
    }
    throw .configuration(
      ConfigurationError(
        "connections is \(connections), which needs \(needed) file descriptors including "
          + "\(reserve) for journal, ledger and tools and \(kept) for administrators, but this "
          + "process may have \(limit). Raise the limit (`ulimit -n \(needed)`, or "
          + "LimitNOFILE=\(needed) in the unit), or set connections to \(limit - others) or less"
      ))
  }
}
