// `net`: measures the whole server over sockets and the limits of the machine in one run.

import ArgumentParser
import CCount
import Foundation
import Histogram
import JoulebookServer
import Load

@main
struct Net: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the server over loopback as ratios to epoll, a libuv echo and fdatasync.",
    discussion: """
      Server, client and references share this machine's cores. Each figure is from one run of --seconds;
      the references are measured in turn with what they are compared to.
      """)

  @Option(help: "Duration of each measurement in seconds.") var seconds = 2
  @Option(help: "Folder of journal and sync test; its disk is measured.") var folder =
    NSTemporaryDirectory()
  @Option(help: "Output file of the section (Markdown).") var table: String?
  @Option(help: "Output file of a plot of the latencies (SVG), with --table.") var plot = "network.svg"
  @Option(help: "Number of idle sessions for the measurement of their cost.") var idle = 9_000
  @Flag(help: "Only count allocations and reference counting operations.") var counts = false

  func run() throws {
    var page = NetPage()
    if counts {
      try allocations(&page)
      return print(page.markdown)
    }
    try roundTrips(&page)
    try durability(&page)
    try throughput(&page)
    try allocations(&page)
    try readings(&page)
    print(page.markdown)
    if let table {
      try Data(page.markdown.utf8).write(to: URL(fileURLWithPath: table))
      try Data(page.svg.utf8).write(to: URL(fileURLWithPath: plot))
    }
  }

  private var milliseconds: UInt64 { UInt64(seconds) * 1_000 }

  private func options() -> LoadOptions {
    var options = LoadOptions()
    (options.durationMilliseconds, options.warmUpMilliseconds) = (milliseconds, 300)
    return options
  }

  private func server(
    _ kept: String, _ wait: String, assembly: String = "inline"
  ) throws -> Configuration {
    var configuration = Configuration()
    try configuration.set("assembly", to: assembly)
    try configuration.set("journal.kept", to: kept)
    try configuration.set("wait", to: wait)
    return configuration
  }

  // MARK: Single messages

  private func roundTrips(_ page: inout NetPage) throws {
    for (wait, spins, goal) in [("spin", true, 1.25), ("park", false, 1.2)] {
      let before = EpollPingPong.run(spinning: spins, milliseconds: milliseconds / 2)
      var options = options()
      (options.isPingPong, options.spins) = (true, spins)
      let report = try Load.runEmbedded(options, server("none", wait), isShown: false)
      var floor = EpollPingPong.run(spinning: spins, milliseconds: milliseconds / 2)
      floor.add(before)
      page.compare(
        "one order at a time, \(wait), nothing kept", report.latency, "raw epoll ping-pong", floor,
        goal: goal)
    }
  }

  private func durability(_ page: inout NetPage) throws {
    let before = SyncFloor.run(folder: folder, milliseconds: milliseconds / 2)
    var options = options()
    (options.isPingPong, options.spins) = (true, false)
    let single = try Load.runEmbedded(options, server("disk", "park"), isShown: false)
    options.spins = true
    let awake = try Load.runEmbedded(options, server("disk", "spin"), isShown: false)
    options.isPingPong = false
    (options.rate, options.connections, options.outstanding) = (100_000, 4, 4_096)
    options.spins = true
    let even = try Load.runEmbedded(options, server("disk", "park"), isShown: false)
    var floor = SyncFloor.run(folder: folder, milliseconds: milliseconds / 2)
    floor.add(before)
    page.sync("one order at a time, journaled, park", single, floor)
    page.sync("one order at a time, journaled, spin", awake, floor)
    page.sync("100,000 orders/s, evenly, journaled", even, floor)
  }

  // MARK: Many messages

  private func throughput(_ page: inout NetPage) throws {
    let echo = UvEcho.run(connections: 64, outstanding: 64, milliseconds: milliseconds)
    var options = options()
    (options.rate, options.spins) = (0, false)
    for (kept, connections, outstanding, goal) in [
      ("none", 64, 64, 5e6), ("disk", 64, 64, 3e6), ("none", 64, 16, 2e6),
    ] {
      (options.connections, options.outstanding) = (connections, outstanding)
      let report = try Load.runEmbedded(options, server(kept, "park"), isShown: false)
      let name = kept == "none" ? "nothing kept" : "journaled"
      page.rate("\(connections) connections x \(outstanding), \(name)", report, echo, goal)
    }
    (options.connections, options.outstanding) = (64, 64)
    let pipelined = try Load.runEmbedded(
      options, server("none", "park", assembly: "pipelined"), isShown: false)
    page.rate("64 connections x 64, nothing kept, pipelined", pipelined, echo, 5e6)
    options.idle = idle
    let before = residentMegabytes()
    let crowded = try Load.runEmbedded(options, server("none", "park"), isShown: false)
    page.rate("64 connections x 64, nothing kept, \(idle) idle sessions beside", crowded, echo, 5e6)
    page.note(
      "\(idle) idle sessions, both ends of each in this process, raised its memory by "
        + "\(residentMegabytes() - before) MB at most.")
  }

  private func residentMegabytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1_024
  }

  // MARK: Allocations and references

  /// Allocations and reference counting operations per message: the difference of two runs of which one has a
  /// million messages more.
  private func allocations(_ page: inout NetPage) throws {
    var options = options()
    (options.rate, options.connections, options.spins) = (0, 4, false)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (60_000, 0)
    var (calls, changes): ([Int], [Int]) = ([], [])
    // The first run performs the one-time allocations of the process.
    for messages in [UInt64(1_000), 1_000_000, 2_000_000] {
      options.messages = messages
      let before = (calls: allocation_count(), changes: reference_count())
      _ = try Load.runEmbedded(options, server("none", "park"), isShown: false)
      calls.append(Int(allocation_count() - before.calls))
      changes.append(Int(reference_count() - before.changes))
    }
    page.note(
      "Calls of the C allocator, server and load together: \(calls[1]) for set-up and a million "
        + "messages, \(calls[2]) for set-up and two million: "
        + "\(calls[2] - calls[1]) for a million messages.")
    page.note(
      "References counted by the server's threads: \(changes[1]) for set-up and a million messages, "
        + "\(changes[2]) for set-up and two million: "
        + "\(changes[2] - changes[1]) for a million messages.")
  }

  private func readings(_ page: inout NetPage) throws {
    var options = options()
    (options.meters, options.rate, options.spins) = (1_000, 0, false)
    let report = try Load.runEmbedded(options, server("none", "park"), isShown: false)
    page.note(
      "Readings checked, signature included, by one thread: \(Int(report.rate)) a second.")
    // Orders without and with meter readings beside them: at a rate below the capacity of a core, and at the
    // highest rate.
    for (rate, name) in [(UInt64(0), ""), (2_000, "2,000"), (8_000, "8,000")] {
      var beside = self.options()
      (beside.isPingPong, beside.spins, beside.meters) = (true, false, rate == 0 ? 0 : 1_000)
      beside.rate = rate
      let report = try Load.runEmbedded(beside, server("none", "park"), isShown: false)
      page.note(
        "One order at a time, park, \(rate == 0 ? "no readings" : "\(name) readings/s asked for") "
          + "beside it\(report.readings.map { ", \(Int($0)) answered" } ?? ""): "
          + "p50 \(LoadReport.duration(report.latency.valueAtPercentile(50))), "
          + "p99 \(LoadReport.duration(report.latency.valueAtPercentile(99))), "
          + "p99.9 \(LoadReport.duration(report.latency.valueAtPercentile(99.9))).")
    }
  }
}
