import MarketModel
import Testing

@testable import GatewayKit

@Suite("Budgets of work")
struct WorkBudgetTests {
  private static let start = SteadyTime(nanoseconds: 1_000_000_000_000)

  private static func after(_ milliseconds: UInt64) -> SteadyTime {
    SteadyTime(nanoseconds: start.nanoseconds + milliseconds * 1_000_000)
  }

  private func budget(_ perSecond: Int64, perTurn: Int64 = .max / 2) -> Session {
    Session(WorkBudget(WorkBudget.Limits(perSecond: perSecond, perTurn: perTurn)))
  }

  /// A budget by reference, so that expectations can change it.
  private final class Session {
    private var budget: WorkBudget
    var left: Int64 { budget.left }

    init(_ budget: WorkBudget) { self.budget = budget }

    func spend(_ cost: Int64, at now: SteadyTime, turn: UInt64) -> WorkBudget.Verdict {
      budget.spend(cost, at: now, turn: turn)
    }

    func allowsCommand(isCancel: Bool, at now: SteadyTime) -> Bool {
      budget.allowsCommand(isCancel: isCancel, at: now)
    }

    func debit(_ cost: Int64, at now: SteadyTime) { budget.debit(cost, at: now) }
  }

  @Test("What is left is spent, then requests are refused with it, and time refills it.")
  func spends() {
    let budget = budget(1_000)
    #expect(budget.spend(700, at: Self.start, turn: 1) == .pass)
    #expect(budget.spend(400, at: Self.start, turn: 2) == .refuse(left: 300))
    #expect(budget.spend(300, at: Self.start, turn: 3) == .pass)
    #expect(budget.spend(1, at: Self.start, turn: 4) == .refuse(left: 0))
    #expect(budget.spend(400, at: Self.after(399), turn: 5) == .refuse(left: 399))
    #expect(budget.spend(400, at: Self.after(400), turn: 6) == .pass)
    #expect(budget.spend(1_000, at: Self.after(9_000), turn: 7) == .pass)
    #expect(budget.left == 0)
  }

  @Test("Many refusals in quick succession do not lose the time between them.")
  func refillsInSmallSteps() {
    let budget = budget(1_000)
    #expect(budget.spend(1_000, at: Self.start, turn: 1) == .pass)
    var passed = 0
    // Ten seconds in steps of 0.1 ms: a tenth of a unit each.
    for step in 1...100_000 {
      let now = SteadyTime(nanoseconds: Self.start.nanoseconds + UInt64(step) * 100_000)
      if budget.spend(1, at: now, turn: UInt64(step)) == .pass { passed += 1 }
    }
    #expect((9_990...10_000).contains(passed))
  }

  @Test("Work above the share of a turn waits for the next one; a single request never does.")
  func turns() {
    let budget = budget(100_000, perTurn: 100)
    #expect(budget.spend(64, at: Self.start, turn: 1) == .pass)
    #expect(budget.spend(64, at: Self.start, turn: 1) == .wait)
    #expect(budget.left == 99_936)
    #expect(budget.spend(64, at: Self.start, turn: 2) == .pass)
    #expect(budget.spend(20_000, at: Self.start, turn: 3) == .pass)
  }

  @Test("A request dearer than a whole budget passes when the budget is full.")
  func dear() {
    let budget = budget(1_000)
    #expect(budget.spend(20_000, at: Self.start, turn: 1) == .pass)
    #expect(budget.left == -19_000)
    #expect(budget.spend(1, at: Self.after(19_000), turn: 2) == .refuse(left: 0))
    #expect(budget.spend(1, at: Self.after(19_001), turn: 3) == .pass)
  }

  @Test("Debts stop commands, cancels a second later; they are paid by time.")
  func debts() {
    let budget = budget(1_000)
    // A budget that was full for a long time is not refilled by the time before the debt.
    budget.debit(1_000, at: Self.start)
    #expect(!budget.allowsCommand(isCancel: false, at: Self.start))
    #expect(budget.allowsCommand(isCancel: true, at: Self.start))
    budget.debit(1_000, at: Self.start)
    #expect(!budget.allowsCommand(isCancel: true, at: Self.start))
    #expect(budget.allowsCommand(isCancel: true, at: Self.after(2)))
    #expect(!budget.allowsCommand(isCancel: false, at: Self.after(1_000)))
    #expect(budget.allowsCommand(isCancel: false, at: Self.after(1_001)))
    for _ in 0..<100 { budget.debit(1_000, at: Self.after(1_001)) }
    #expect(budget.left == -60_000)
  }
}
