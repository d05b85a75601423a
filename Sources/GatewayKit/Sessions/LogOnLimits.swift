// Log-ons that prove nothing are limited by the address from which they come, never by the identity
// that they name: a stranger who knows a session's number cannot lock its owner out.
//
//     refused, not proven ──▶ counted for its address ──▶ limit reached ──▶ nothing from there is
//                                                                           verified for the rest
//                                                                           of the minute

/// An address from which clients connect, as far as limits distinguish them.
public struct LogOnAddress: Hashable, Sendable, CustomStringConvertible {
  /// The address as operators write it, without the part that a client chooses at will: of an IPv6
  /// address the first 64 bits, such as "2001:db8:0:1::/64".
  public let description: String
  /// Whether it is the server's own machine.
  public let isLoopback: Bool

  /// The address with this text.
  public init(_ description: String, isLoopback: Bool = false) {
    (self.description, self.isLoopback) = (description, isLoopback)
  }
}

/// Why a log-on was refused, as operators need to know it; clients are told less.
public enum LogOnFailure: String, Hashable, Sendable, CaseIterable {
  /// The session is not registered, or was revoked.
  case unknownSession
  /// The signature or password is wrong.
  case badSignature
  /// The client's log-on is of an older version, which names neither market nor connection.
  case oldVersion
  /// Too many log-ons that prove nothing came from its address; this one was not looked at.
  case tooMany
  /// It is proven, but its timestamp is outside the window.
  case timestamp
  /// It is proven, but all places of sessions, or those of its participant, are taken.
  case noPlace
  /// It is proven, but its version, state or terms are not admissible.
  case notAdmissible

  /// Whether it leaves open who the client is.
  public var isUnproven: Bool { self == .unknownSession || self == .badSignature }
}

/// Counts refused log-ons by address. Owned by the I/O thread; all gateways share one.
public final class LogOnLimits {
  /// Number of addresses that are remembered; beyond it the one that came first is forgotten.
  public static let mostAddresses = 4_096
  /// Number of failures a minute from the server's own machine that are looked at.
  public static let loopbackFailures: UInt32 = 10_000
  /// The period of the limit: it begins with an address's first failure, ns.
  public static let period: UInt64 = 60_000_000_000

  private struct Entry {
    var address: LogOnAddress?
    /// When the minute began.
    var start: SteadyTime
    /// Failures in this minute that left open who the client is.
    var failures: UInt32 = 0
  }

  private let limit: UInt32
  private let loopbackLimit: UInt32
  private var entries: [Entry] = []
  private var places: [LogOnAddress: Int] = [:]
  /// The place that the next new address takes when all are taken.
  private var oldest = 0

  /// - Parameters:
  ///   - failures: Failures a minute and address that are looked at.
  ///   - loopback: The same for the server's own machine.
  public init(failures: UInt32 = 10, loopback: UInt32 = loopbackFailures) {
    (limit, loopbackLimit) = (failures, max(failures, loopback))
  }

  /// How long log-ons from `address` are refused without being looked at, in ns.
  /// - Returns: `nil` if they are looked at; always so for an unknown address.
  public func timeLeft(_ address: LogOnAddress?, at now: SteadyTime) -> UInt64? {
    guard let address, let place = places[address] else { return nil }
    let entry = entries[place]
    let passed = now.since(entry.start)
    guard passed < Self.period, entry.failures >= limit(of: address) else { return nil }
    return Self.period - passed
  }

  /// Counts a refused log-on if it left open who the client is and its address is known. Constant
  /// time.
  public func refused(
    _ failure: LogOnFailure, from address: LogOnAddress?, at now: SteadyTime
  ) {
    guard failure.isUnproven, let address else { return }
    let place = place(of: address, at: now)
    if now.since(entries[place].start) >= Self.period {
      (entries[place].start, entries[place].failures) = (now, 0)
    }
    if entries[place].failures < .max { entries[place].failures += 1 }
  }

  /// Number of addresses that are remembered.
  var addressCount: Int { places.count }

  private func limit(of address: LogOnAddress) -> UInt32 {
    address.isLoopback ? loopbackLimit : limit
  }

  private func place(of address: LogOnAddress, at now: SteadyTime) -> Int {
    if let known = places[address] { return known }
    let new = Entry(address: address, start: now)
    guard entries.count == Self.mostAddresses else {
      entries.append(new)
      places[address] = entries.count - 1
      return entries.count - 1
    }
    let place = oldest
    oldest = (oldest + 1) % Self.mostAddresses
    if let former = entries[place].address { places[former] = nil }
    entries[place] = new
    places[address] = place
    return place
  }
}
