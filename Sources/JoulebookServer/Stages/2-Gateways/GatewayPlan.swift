import GatewayKit
import Transport

/// Describes an additional gateway, which has its own listener and runs on the I/O thread.
public struct GatewayPlan: Sendable {
  /// Name of the gateway in the log.
  public var name: String
  /// IPv4 or IPv6 address that the gateway listens on.
  public var host: String
  /// Port that the gateway listens on; 0 lets the system choose, and `Server.ports` tells which.
  public var port: UInt16
  /// Creates the gateway. The gateway retains the objects of its context; none of them retains the
  /// gateway.
  public var make: @Sendable (GatewaySeat, any Network) -> any Gateway & ConnectionHandler

  /// A plan for a gateway `name` that listens on `host` and `port`.
  public init(
    _ name: String, host: String, port: UInt16,
    make: @escaping @Sendable (GatewaySeat, any Network) -> any Gateway & ConnectionHandler
  ) {
    (self.name, self.host, self.port, self.make) = (name, host, port, make)
  }
}
