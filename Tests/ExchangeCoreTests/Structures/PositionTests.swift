import MarketModel
import Testing

@testable import ExchangeCore

/// An exchange with accounts and areas, in which positions are made and given back by hand: commands will do so once
/// assets end.
private struct Holders: ~Copyable {
  var exchange: Exchange

  init(accounts: UInt32, areas: UInt16) {
    var capacity = Capacity.small
    capacity.areas = UInt32(areas)
    exchange = Exchange(capacity: capacity)
    apply(
      .reference(.createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty)))
    )
    for account in 1...accounts {
      apply(
        .reference(
          .createAccount(
            CreateAccount(account: AccountId(account), participant: ParticipantId(1)))))
    }
    for area in 1...areas {
      apply(
        .reference(
          .createArea(
            CreateArea(
              area: AreaId(area), currency: Currency(978), code: .empty,
              storageCost: Money(units: 100_000_000), storagePrice: Money(units: 100_000_000),
              feedInPrice: .zero, retailPrice: .zero))))
    }
  }

  private mutating func apply(_ body: Command.Body) {
    _ = exchange.execute(Command(session: .exchange, body: body))
  }
}

@Suite("Positions of accounts that have many")
struct PositionTests {
  private func asset(_ area: UInt16) -> Asset { Asset(energyOf: AreaId(area)) }

  @Test("Each of an account's hundreds of positions is found, also after others were freed.")
  func many() {
    let (accounts, areas) = (UInt32(3), UInt16(400))
    var holders = Holders(accounts: accounts, areas: areas)
    var random = SeededRandom(seed: 11)
    var known: [[UInt16: UInt32]] = Array(repeating: [:], count: Int(accounts) + 1)
    for _ in 0..<20_000 {
      let account = UInt32.random(in: 1...accounts, using: &random)
      let area = UInt16.random(in: 1...areas, using: &random)
      let (id, index) = (AccountId(account), Int(account))
      let found = holders.exchange.find(id, asset(area))
      #expect(found == known[index][area] ?? 0)
      if found == 0 {
        known[index][area] = holders.exchange.findOrMake(id, asset(area))
      } else if Int.random(in: 0..<3, using: &random) > 0 {
        holders.exchange.free(found)
        known[index][area] = nil
      }
    }
    for account in 1...accounts {
      for area in 1...areas {
        #expect(
          holders.exchange.find(AccountId(account), asset(area))
            == known[Int(account)][area] ?? 0)
      }
    }
    let rows = known.flatMap(\.values)
    #expect(Set(rows).count == rows.count, "no row is two positions")
    #expect(holders.exchange.allBalances().count == rows.count)
    #expect(holders.exchange.balances.positionCount <= UInt32(areas) * accounts)
    #expect(holders.exchange.invariantViolations().isEmpty)
  }

  @Test("A row that was given back is empty when it is taken again, and no capacity is lost.")
  func rowsAreUsedAgain() {
    var holders = Holders(accounts: 1, areas: 30)
    let account = AccountId(1)
    for round in 0..<100 {
      for area in UInt16(1)...30 {
        let position = holders.exchange.findOrMake(account, asset(area))
        let row = holders.exchange.balances.positions.row(position)
        #expect(row.level == 0 && row.floor == 0 && !row.hasOwnCap && row.ceiling > 0)
        row.setFloor(Int64(round))
      }
      for area in UInt16(1)...30 {
        holders.exchange.free(holders.exchange.find(account, asset(area)))
      }
    }
    #expect(holders.exchange.balances.positionCount == 30)
    #expect(holders.exchange.allBalances().isEmpty)
    #expect(holders.exchange.balances.index.count == 0)
  }

  @Test("An image keeps freed rows, and positions after the eighth are found.")
  func image() throws {
    var holders = Holders(accounts: 2, areas: 100)
    for area in UInt16(1)...100 { _ = holders.exchange.findOrMake(AccountId(1), asset(area)) }
    for area in UInt16(5)...20 {
      holders.exchange.free(holders.exchange.find(AccountId(1), asset(area)))
    }
    let bytes = StateBytes()
    holders.exchange.write(to: bytes)
    guard var again = Exchange(capacity: holders.exchange.capacity, reading: bytes) else {
      Issue.record("\(bytes.rejected ?? "")")
      return
    }
    #expect(again.stateHash() == holders.exchange.stateHash())
    for area in UInt16(1)...100 {
      #expect(
        again.find(AccountId(1), asset(area)) == holders.exchange.find(AccountId(1), asset(area)))
    }
    for area in UInt16(1)...16 {
      let position = again.findOrMake(AccountId(2), asset(area))
      #expect(position == holders.exchange.findOrMake(AccountId(2), asset(area)))
    }
    #expect(again.balances.positionCount == 100)
  }

  @Test("The level above the floor covers asks, the room below the ceiling covers bids.")
  func bounds() {
    var holders = Holders(accounts: 1, areas: 1)
    let row = holders.exchange.balances.positions.row(
      holders.exchange.findOrMake(AccountId(1), asset(1)))
    row.setCeiling(1_000)
    row.move(700)
    #expect(row.value.available(.sell) == 700 && row.value.available(.buy) == 300)
    row.setFloor(400)
    #expect(row.value.available(.sell) == 300 && row.value.available(.buy) == 300)
    row.setFloor(900)
    row.setCeiling(500)
    #expect(row.value.available(.sell) == 0 && row.value.available(.buy) == 0)
    row.setFloor(-200)
    #expect(row.value.available(.sell) == 900)
  }
}
