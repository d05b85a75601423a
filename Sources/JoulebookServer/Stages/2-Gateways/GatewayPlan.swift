import GatewayKit
import Transport

/// A gateway that a server is to have beside the binary one, on its own listener and on the same I/O thread.
public struct GatewayPlan: Sendable {
  /// What it is called in the log.
  public var name: String
  /// The IPv4 or IPv6 address on which its clients connect.
  public var host: String
  /// Its port; 0: the system chooses, and `Server.ports` says which.
  public var port: UInt16
  /// Makes it. It keeps what its seat leads to, and nothing of that keeps it in turn.
  public var make: @Sendable (GatewaySeat, any Network) -> any Gateway & ConnectionHandler

  /// All fields.
  public init(
    _ name: String, host: String, port: UInt16,
    make: @escaping @Sendable (GatewaySeat, any Network) -> any Gateway & ConnectionHandler
  ) {
    (self.name, self.host, self.port, self.make) = (name, host, port, make)
  }
}
