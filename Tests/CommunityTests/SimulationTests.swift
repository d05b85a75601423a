import Foundation
import MarketModel
import Testing

@testable import Community

@Suite("The community at the exchange, in process")
struct SimulationTests {
  @Test(
    "A week of the village: conserved, invariants hold, nobody loses, 97 % of one shared battery.")
  func villageWeek() throws {
    let run = Simulation(of: try CommunityModel.simbench(), seed: 1)
    check(run)
    #expect(run.result.energy.selfSufficiency >= 0.78)
    #expect(run.result.saved >= Money(units: 780 * 100_000_000))
    #expect(run.result.shareOfShared >= 0.97)
    if let path = ProcessInfo.processInfo.environment["REPORT"] {
      try Data(ReportPage(run.result).html.utf8).write(to: URL(filePath: path))
    }
  }

  @Test(
    "With little sun the same traders reach 90 % of one shared battery, and nobody loses.",
    arguments: [SimBenchWeek.january, .october])
  func darkWeeks(week: SimBenchWeek) throws {
    let run = Simulation(of: try CommunityModel.simbench(week), seed: 1)
    check(run)
    #expect(run.result.shareOfShared >= 0.9)
  }

  @Test("Two days of the Fontana homes: 79 %.")
  func fontanaDays() throws {
    let run = Simulation(of: try CommunityModel.fontana().first(days: 2), seed: 1)
    print(TerminalSummary(run.result).text)
    #expect(run.violations.isEmpty && run.result.isProven)
    #expect(run.result.energy.selfSufficiency >= 0.79)
  }

  private func check(_ run: Simulation) {
    print(TerminalSummary(run.result).text)
    #expect(run.violations.isEmpty)
    #expect(run.result.isProven, "\(run.result.proofs)")
    #expect(run.result.energy.isConserved)
    // A member of the cooperative may have traded with another one when its order is to be changed.
    #expect(run.result.run.rejects < 20)
    for customer in run.result.customers {
      #expect(customer.saving >= .zero, "\(customer.name), \(customer.behaviour)")
    }
    // The battery's owner neither makes nor uses energy, and gains.
    #expect((run.result.batteryOwner?.net ?? .zero) < .zero)
  }

  @Test("Traders know nothing of the time to come: another future changes none of their commands.")
  func noFuture() throws {
    let model = try CommunityModel.fontana().first(days: 2)
    var other = model
    let noon = model.intervalsPerDay + 12
    for index in other.customers.indices {
      let customer = model.customers[index]
      other.customers[index].production = EnergySeries(
        wattHours: customer.production.wattHours.enumerated().map { $0 < noon ? $1 : $1 / 2 })
      other.customers[index].consumption = EnergySeries(
        wattHours: customer.consumption.wattHours.enumerated().map { $0 < noon ? $1 : $1 * 2 })
    }
    let (first, second) = (commands(of: model), commands(of: other))
    // What is sent up to noon, when the readings of the interval before have come.
    let known = model.time(of: noon)
    #expect(first.filter { $0.time <= known } == second.filter { $0.time <= known })
    #expect(first.filter { $0.time <= known }.count > 100)
    #expect(first.filter { $0.time > known } != second.filter { $0.time > known })
  }

  private struct Sent: Equatable {
    var time: Timestamp
    var text: String
  }

  /// All that the traders send in a run of `model`.
  private func commands(of model: CommunityModel) -> [Sent] {
    // Only the operator's set-up knows the whole run: deposits and rated powers.
    let population = Population(of: model, seed: 1)
    let plan = CommunityPlan(model: model, population: population)
    var run = CommunityRun(
      plan: plan, venue: ListeningVenue(venue: InProcessVenue(plan: plan)), seed: 1)
    let noKey = PublicKey(0, 0, 0, 0)
    do {
      try run.play(
        setup: plan.setup(sessionKey: { _ in noKey }, meterKey: { _ in noKey }),
        progress: { _, _ in })
    } catch {
      Issue.record("\(error)")
    }
    return run.venue.sent
  }

  /// A venue that writes down what the traders send.
  private struct ListeningVenue: Venue {
    var venue: InProcessVenue
    var sent: [Sent] = []
    private var time = Timestamp(nanoseconds: 0)

    init(venue: InProcessVenue) { self.venue = venue }

    var quote: (bid: Price?, ask: Price?, last: Price?) { venue.quote }
    mutating func administer(_ bodies: [Command.Body]) throws(InProcessVenue.Refused) {
      try venue.administer(bodies)
    }
    mutating func tick(to time: Timestamp) throws(InProcessVenue.Refused) {
      self.time = time
      try venue.tick(to: time)
    }
    mutating func meter(_ readings: [MeterReading]) throws(InProcessVenue.Refused) {
      try venue.meter(readings)
    }
    mutating func send(
      _ bodies: [Command.Body], from trader: Int
    ) throws(InProcessVenue.Refused) {
      sent += bodies.map { Sent(time: time, text: "\(trader): \($0)") }
      try venue.send(bodies, from: trader)
    }
    mutating func takeReports(
      before trader: Int
    ) throws(InProcessVenue.Refused) -> [(trader: Int, report: TraderReport)] {
      try venue.takeReports(before: trader)
    }
  }

  @Test(
    "Two days of 537 homes: conserved, invariants hold, every meter was read, the market helps.")
  func swissDays() throws {
    let model = try CommunityModel.swiss()
    let clock = ContinuousClock()
    let start = clock.now
    let run = Simulation(of: model, seed: 1)
    print(
      "\(run.result.run.commands) commands, \(run.result.run.trades) trades in \(clock.now - start)"
    )
    #expect(run.violations.isEmpty)
    #expect(run.result.isProven, "\(run.result.proofs)")
    #expect(run.result.energy.isConserved)
    #expect(run.result.run.readings == 537 * 192)
    #expect(run.result.run.trades > 5_000)
    #expect(run.result.energy.selfSufficiency > run.result.alone.selfSufficiency)
    for (customer, home) in zip(run.result.customers, model.customers) {
      #expect(customer.energy.consumed == home.consumption.total.wattHours)
      #expect(customer.energy.produced == home.production.total.wattHours)
    }
  }
}
