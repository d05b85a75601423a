extension Configuration {
  /// All keys, in the order of the default file.
  public static var settings: [Setting] { service + stages + market }

  private static var service: [Setting] {
    [
      .listen,
      .text(
        "tls.certificate", \.tlsCertificate,
        "file with the certificate for TLS 1.3 (PEM); empty: plain TCP"),
      .text("tls.key", \.tlsKey, "file with its private key (PEM)"),
      .health,
      .number("connections", \.connections, 1...65_535, "client connections at a time"),
      .data,
      .ledger,
      .choice("clock", \.clock, "system, or driven by an operator's ticks (simulations)"),
      .choice("wait", \.wait, "park (sleeps), yield, or spin (answers soonest, keeps a core busy)"),
      .choice(
        "assembly", \.assembly,
        "inline (sockets and market on one thread), or pipelined (two; where cores are to spare)"),
      .choice("log", \.logLevel, "trace, debug, info, notice, warning, error or critical"),
      .operatorKeys,
    ]
  }

  private static var stages: [Setting] {
    [
      .number(
        "checkpoint.commands", \.checkpointInterval, 1_000...1_000_000_000,
        "a hash of the history is journaled after so many commands"),
      .number(
        "snapshot.commands", \.snapshotCommands, 0...1 << 40,
        "a snapshot is made after so many commands; 0: never"),
      .number(
        "snapshot.minutes", \.snapshotMinutes, 0...1 << 20,
        "or after so many minutes, when there is anything new; 0: never"),
      .number("snapshot.keep", \.snapshotKeep, 1...1_000, "snapshots that stay"),
      .choice(
        "journal.kept", \.journalKept,
        "disk, or none: nothing is written and all is gone at the end (measurements, games)"),
      .number(
        "journal.direct", \.journalDirect, 0...128,
        "up to so many commands at a time are synced by the I/O thread itself; 0: by the journal's"),
      .number(
        "journal.retain", \.journalRetain, 0...1 << 60,
        "segments without the last so many commands go, when snapshots hold them; 0: all stay"),
      .number("journal.segment", \.segmentBytes, 1 << 16...1 << 30, "bytes of a segment file"),
      .number(
        "ingress.commands", \.ingressCommands, 256...1 << 20,
        "commands that may wait for the sequencer; a power of two"),
      .number(
        "outbox.events", \.outboxEvents, 1 << 12...1 << 24,
        "events that may wait for the disk before the reader stops reading"),
      .number(
        "client.bytes", \.sendBytes, 1 << 16...1 << 30,
        "bytes that a client may leave unread before it is cut"),
      .number(
        "client.messages", \.messageLimit, 1...1 << 30,
        "messages a second of a session, cancels excepted; further ones are rejected"),
      .number(
        "client.messagesCutoff", \.messageCutoff, 1...1 << 30,
        "messages a second at which a session is cut"),
      .number(
        "client.cancels", \.cancelLimit, 1...1 << 30,
        "cancels a second of a session; further ones are rejected"),
      .number(
        "client.cancelsCutoff", \.cancelCutoff, 1...1 << 30,
        "cancels a second at which a session is cut"),
      .number(
        "settlement.transfers", \.settlement.transfers, 1...1_000_000,
        "a batch closes with so many transfers; fixed by the first start"),
      .number(
        "settlement.nanoseconds", \.settlement.nanoseconds, 1...1 << 62,
        "or so much market time after its first; fixed by the first start"),
    ]
  }

  private static var market: [Setting] {
    [
      .number("capacity.participants", \.capacity.participants, 1...1 << 24, "firms"),
      .number("capacity.sessions", \.capacity.sessions, 1...1 << 24, "session identities"),
      .number("capacity.accounts", \.capacity.accounts, 1...1 << 24, "accounts"),
      .number("capacity.areas", \.capacity.areas, 1...65_535, "market areas"),
      .number("capacity.instruments", \.capacity.instruments, 1...1 << 20, "instruments"),
      .number("capacity.meters", \.capacity.meters, 1...1 << 24, "meters"),
      .number("capacity.positions", \.capacity.positions, 1...1 << 26, "accounts times areas"),
      .number("capacity.orders", \.capacity.orders, 16...1 << 24, "open orders"),
      .number("capacity.priceLevels", \.capacity.priceLevels, 16...1 << 23, "prices with orders"),
    ]
  }
}

/// Least severe level that is logged, from most to least output.
public enum LogLevel: String, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

extension Setting {
  fileprivate static var listen: Setting {
    Setting(
      key: "listen", text: "address:port; port 0: a free one, printed at the start",
      value: { Configuration.address(host: $0.host, port: $0.port) },
      assign: { (configuration, value) throws(ConfigurationError) in
        (configuration.host, configuration.port) = try Configuration.parseAddress(value)
      })
  }

  fileprivate static var data: Setting {
    Setting(
      key: "data", text: "folder of the journal, the ledger and the operator's key",
      value: { $0.dataFolder },
      assign: { (configuration, value) throws(ConfigurationError) in
        // An empty name would place the journal in "/journal", in the root of the file system.
        if value.isEmpty {
          throw ConfigurationError("data: names no folder; give one, such as ./joulebook-data")
        }
        configuration.dataFolder = value
      })
  }

  fileprivate static var ledger: Setting {
    Setting(
      key: "ledger",
      text: "\(LedgerLocation.forms), relative to the data folder; fixed by the first start",
      value: { "\($0.ledger)" },
      assign: { (configuration, value) throws(ConfigurationError) in
        configuration.ledger = try LedgerLocation(value)
      })
  }

  fileprivate static var health: Setting {
    Setting(
      key: "health", text: "address:port for GET /health, /ready, /metrics; empty: none",
      value: { $0.health },
      assign: { (configuration, value) throws(ConfigurationError) in
        if !value.isEmpty { _ = try Configuration.parseAddress(value) }
        configuration.health = value
      })
  }

  fileprivate static var operatorKeys: Setting {
    Setting(
      key: "operator.keys",
      text:
        "files with operators' public keys, comma-separated; none: a pair is made at first start",
      value: { $0.operatorKeys.joined(separator: ",") },
      assign: { (configuration, value) throws(ConfigurationError) in
        configuration.operatorKeys = value.split(separator: ",").map {
          String($0.drop(while: { $0 == " " }))
        }
      })
  }
}

extension Configuration {
  /// Joins host and port: "127.0.0.1:9100", "[::1]:9100".
  public static func address(host: String, port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Splits "127.0.0.1:9100" or "[::1]:9100" into host and port.
  /// - Throws: if there is no port from 0 to 65535 after the last colon, or no host before it.
  public static func parseAddress(
    _ text: String
  ) throws(ConfigurationError) -> (host: String, port: UInt16) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else {
      throw ConfigurationError("listen: \(text) is no address:port, such as 127.0.0.1:9100")
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else {
      throw ConfigurationError("listen: \(text) names no address; 0.0.0.0 means every interface")
    }
    return (String(host), port)
  }
}
