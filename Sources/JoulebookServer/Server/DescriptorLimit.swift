// File descriptors of a server:
//
//     standard streams 3, event loop 8, listeners 2 (clients, health), a health request 1,
//     the connection that is taken to be refused 1                                               15
//     journal: folder 1, lock 1, segment 1, the next one's zeros and itself 2, a listing 1        6
//     settlement, retransmission, snapshots: a listing, a segment, a snapshot each, one being written     10
//     ledger: lock 1, database, log, index 3, two more while it is opened anew                    6
//     configuration and certificates while they are read, the system's random numbers             4
//                                                                                       sum      41

import Glibc

/// How many files and sockets this process may have open.
public enum DescriptorLimit {
  /// What a server opens besides its clients' connections, and some more.
  public static let reserve = 64

  /// Raises the limit as far as this process may: what shells and services begin with, often 1,024, is meant
  /// for programs that know no better.
  /// - Returns: the limit.
  @discardableResult public static func raise() -> Int {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = raised.rlim_max
      // Refused, the limit stays: it is judged as it is.
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Raises the limit and refuses one that is too low.
  /// - Parameter connections: Clients' connections at a time.
  /// - Throws: when the server could run out of descriptors.
  static func require(connections: Int) throws(StartError) {
    let (limit, needed) = (raise(), connections + reserve)
    guard limit < needed else { return }
    guard limit > reserve else {
      throw .configuration(
        ConfigurationError(
          "this process may have \(limit) file descriptors, and a server takes at least \(reserve + 1): \(reserve) "
            + "for journal, ledger and tools, and one for each connection, of which connections allows "
            + "\(connections). Raise the limit (`ulimit -n \(needed)`, or LimitNOFILE=\(needed) in the unit)"
        ))
    }
    throw .configuration(
      ConfigurationError(
        "connections is \(connections), which takes \(needed) file descriptors with \(reserve) for journal, "
          + "ledger and tools, but this process may have \(limit). Raise the limit (`ulimit -n \(needed)`, or "
          + "LimitNOFILE=\(needed) in the unit), or set connections to \(limit - reserve) or less"
      ))
  }
}
