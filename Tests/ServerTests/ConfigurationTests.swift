import JoulebookServer
import Testing

@Suite("Configuration")
struct ConfigurationTests {
  @Test("The default file, read back, is the default configuration.")
  func defaultsRoundTrip() throws {
    var read = Configuration()
    (read.port, read.connections, read.capacity.orders) = (1, 1, 16)
    try read.read(yaml: Configuration().yaml, name: "default")
    #expect(read == Configuration())
  }

  @Test("An empty file means the defaults.")
  func emptyFile() throws {
    var read = Configuration()
    try read.read(yaml: "# nothing\n", name: "empty")
    #expect(read == Configuration())
  }

  @Test("Every key can be set, and its value is printed as set.")
  func everyKeyRoundTrips() throws {
    for setting in Configuration.settings {
      var configuration = Configuration()
      try configuration.set(setting.key, to: setting.value(Configuration()))
      #expect(configuration == Configuration(), "\(setting.key)")
    }
  }

  @Test("A file sets nested keys, sizes with units and lists.")
  func fileSetsKeys() throws {
    var read = Configuration()
    try read.read(
      yaml: """
        listen: "[::1]:0"
        clock: driven
        journal: {segment: 8 MiB}
        capacity:
          orders: 65_536
        operator:
          keys: [a.pub, b.pub]
        """, name: "test")
    #expect(read.host == "::1" && read.port == 0 && read.clock == .driven)
    #expect(read.segmentBytes == 8 << 20 && read.capacity.orders == 65_536)
    #expect(read.operatorKeys == ["a.pub", "b.pub"])
  }

  @Test(
    "An invalid setting is refused with its place and what is allowed.",
    arguments: [
      (
        "colour: blue",
        "f:1: unknown key colour; `joulebook serve --print-default-config` lists all"
      ),
      (
        "\"\": 1", "f:1: no key is named; `joulebook serve --print-default-config` lists all"
      ),
      ("lisen: 1.2.3.4:5", "f:1: unknown key lisen; did you mean listen?"),
      ("capacity:\n  order: 5", "f:2: unknown key capacity.order; did you mean capacity.orders?"),
      ("capacities:\n  orders: 5", "f:1: unknown key capacities; did you mean capacity.areas?"),
      ("clock: sundial", "f:1: clock: sundial is none of system, driven"),
      ("listen: 127.0.0.1:99999", "f:1: listen: there is no port 99999; ports are 1 to 65535"),
      ("listen: 9100", "f:1: listen: 9100 is not an address and port such as 127.0.0.1:9100"),
      ("listen: \":9100\"", "f:1: listen: :9100 names no address; 0.0.0.0 means every interface"),
      ("connections: 0", "f:1: connections: 0 is not a whole number from 1 to 65535"),
      ("connections: many", "f:1: connections: many is not a whole number from 1 to 65535"),
      ("[1, 2]", "f: the file must be a mapping of keys to values"),
    ])
  func badFiles(yaml: String, message: String) {
    var read = Configuration()
    #expect(throws: ConfigurationError(message)) { try read.read(yaml: yaml, name: "f") }
  }
}
