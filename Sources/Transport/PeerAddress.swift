import CLibuv
import Glibc

/// The network address of a client, as far as limits are concerned: an IPv4 address, or the first
/// 64 bits of an IPv6 address, because one subscriber is usually given a whole /64.
public struct PeerAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
  private enum Family: UInt8, BitwiseCopyable {
    case unknown, version4, version6
  }

  private let family: Family
  /// Whether it is 127.0.0.1 or ::1. The other addresses of 127.0.0.0/8 count like any other, so that
  /// tests on one machine can come from several.
  public let isLoopback: Bool
  /// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
  public var isOnThisMachine: Bool { isLoopback || family == .version4 && number >> 24 == 0x7F }
  /// The IPv4 address, or the first half of the IPv6 address, in the host's byte order.
  private let number: UInt64

  /// The address of a client of unknown origin; not a loopback address.
  public static let unknown = PeerAddress(.unknown, 0, isLoopback: false)
  /// 127.0.0.1.
  public static let loopback = PeerAddress(version4: 0x7F00_0001)

  private init(_ family: Family, _ number: UInt64, isLoopback: Bool) {
    (self.family, self.number, self.isLoopback) = (family, number, isLoopback)
  }

  private init(version4 address: UInt32) {
    self.init(.version4, UInt64(address), isLoopback: address == 0x7F00_0001)
  }

  /// IPv4 addresses in IPv6 form (::ffff:0:0/96) count as IPv4 addresses.
  private init(version6 high: UInt64, _ low: UInt64) {
    if high == 0, low >> 32 == 0xFFFF {
      self.init(version4: UInt32(truncatingIfNeeded: low))
    } else {
      self.init(.version6, high, isLoopback: high == 0 && low == 1)
    }
  }

  /// The address with a text such as "192.0.2.1" or "2001:db8::1"; `nil` if it is none.
  public init?(_ text: String) {
    var (short, long) = (in_addr(), in6_addr())
    if inet_pton(AF_INET, text, &short) == 1 {
      self.init(version4: UInt32(bigEndian: short.s_addr))
    } else if inet_pton(AF_INET6, text, &long) == 1 {
      self = withUnsafeBytes(of: long) { Self(version6: $0) }
    } else {
      return nil
    }
  }

  /// The address of the peer of `tcp`.
  init(of tcp: UnsafePointer<uv_tcp_t>) {
    var address = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &address) { storage in
      uv_tcp_getpeername(
        tcp, UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &length)
    }
    self = withUnsafeBytes(of: address) { bytes in
      switch Int32(address.ss_family) {
      case _ where code < 0: .unknown
      // `sin_addr` is at offset 4, `sin6_addr` at offset 8, both in network byte order.
      case AF_INET:
        Self(version4: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)))
      case AF_INET6: Self(version6: UnsafeRawBufferPointer(rebasing: bytes[8..<24]))
      default: .unknown
      }
    }
  }

  private init(version6 bytes: UnsafeRawBufferPointer) {
    self.init(
      version6: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// The address as an operator writes it: "192.0.2.1", "2001:db8:0:1::/64", "::1".
  public var description: String {
    switch family {
    case .unknown: "unknown"
    case .version4: (0..<4).map { "\(number >> (24 - 8 * $0) & 0xFF)" }.joined(separator: ".")
    case .version6 where isLoopback: "::1"
    case .version6:
      (0..<4).map { String(number >> (48 - 16 * $0) & 0xFFFF, radix: 16) }.joined(separator: ":")
        + "::/64"
    }
  }
}
