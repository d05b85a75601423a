import Glibc
import Transport

extension Server {
  /// How messages name the address of the binary gateway.
  static let ownAddress = "listen (--listen)"

  /// Turns the names of hosts into addresses, before anything is written.
  /// - Returns: the additional gateways, with addresses.
  static func resolve(
    _ configuration: inout Configuration, _ gateways: [GatewayPlan]
  ) throws(StartError) -> [GatewayPlan] {
    do throws(ConfigurationError) {
      configuration.host = try resolve(configuration.host, of: ownAddress)
      var resolved: [GatewayPlan] = []
      for var gateway in gateways {
        gateway.host = try resolve(gateway.host, of: gateway.addressName)
        resolved.append(gateway)
      }
      return resolved
    } catch {
      throw .configuration(error)
    }
  }

  /// The address of a host; of several the first IPv4 address, to which clients connect first.
  /// - Parameter key: What is configured, for messages.
  /// - Throws: if the name has none.
  static func resolve(_ host: String, of key: String) throws(ConfigurationError) -> String {
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    guard status == 0, let first = list else {
      throw ConfigurationError(
        "\(key): \(host) is neither an address nor the name of this machine "
          + "(\(String(cString: gai_strerror(status)))); write one such as 127.0.0.1")
    }
    defer { freeaddrinfo(list) }
    var chosen = first
    var next: UnsafeMutablePointer<addrinfo>? = first
    while let candidate = next {
      if candidate.pointee.ai_family == AF_INET {
        chosen = candidate
        break
      }
      next = candidate.pointee.ai_next
    }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let named = getnameinfo(
      chosen.pointee.ai_addr, chosen.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
      NI_NUMERICHOST)
    guard named == 0 else { return host }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Refuses one address for two listeners, which the system would refuse only after the data folder
  /// was made.
  static func checkDistinct(
    _ configuration: Configuration, _ gateways: [GatewayPlan]
  ) throws(StartError) {
    var taken = [(host: configuration.host, port: configuration.port, key: ownAddress)]
    taken += gateways.map { ($0.host, $0.port, $0.addressName) }
    do throws(ConfigurationError) {
      if !configuration.health.isEmpty {
        let (host, port) = try healthAddress(configuration)
        taken.append((host, port, "health"))
      }
      for (index, later) in taken.enumerated() where later.port != 0 {
        for earlier in taken[..<index] where earlier.port == later.port {
          guard overlap(earlier.host, later.host) else { continue }
          throw ConfigurationError(
            "\(later.key): \(Configuration.address(host: later.host, port: later.port)) is the "
              + "address of \(earlier.key) too; give it another port")
        }
      }
    } catch {
      throw .configuration(error)
    }
  }

  /// Whether listeners on the same port of both hosts would be in each other's way: they are the same
  /// address, or one means every interface.
  private static func overlap(_ one: String, _ other: String) -> Bool {
    let every = ["0.0.0.0", "::"]
    return one == other || every.contains(one) || every.contains(other)
  }

  /// Tries the addresses of a first start, so that one that cannot be used leaves no data folder and
  /// no keys behind. Later starts try them when they are ready to serve.
  static func tryAddresses(
    _ configuration: Configuration, _ gateways: [GatewayPlan]
  ) throws(StartError) {
    guard DataFolder(configuration.dataFolder).isNew else { return }
    try tryAddress(configuration.host, configuration.port, ownAddress)
    for gateway in gateways { try tryAddress(gateway.host, gateway.port, gateway.addressName) }
    if configuration.health.isEmpty { return }
    let health: (host: String, port: UInt16)
    do throws(ConfigurationError) {
      health = try Self.healthAddress(configuration)
    } catch {
      throw .configuration(error)
    }
    try tryAddress(health.host, health.port, "health")
  }

  /// The address of the health server.
  static func healthAddress(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> (host: String, port: UInt16) {
    let (host, port) = try Configuration.parseAddress(configuration.health, of: "health")
    return (try resolve(host, of: "health"), port)
  }

  private static func tryAddress(
    _ host: String, _ port: UInt16, _ key: String
  ) throws(StartError) {
    do throws(TransportError) {
      try Transport.tryListening(host: host, port: port)
    } catch {
      throw .listener(key, error)
    }
  }
}

extension GatewayPlan {
  /// How messages name its address.
  var addressName: String { "the address of the gateway \(name)" }
}
