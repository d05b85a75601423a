import GatewayKit
import MarketModel
import Testing

@Suite("Answers that wait until their commands are durable")
struct HeldAnswersTests {
  @Test("Answers are sent in the order of their questions, each after the reports of its command.")
  func order() {
    var answers = HeldAnswers<String>()
    #expect(answers.first == SequenceNumber(.max) && answers.last == nil)
    for (reply, command) in [("a", UInt64(7)), ("b", 7), ("c", 9)] {
      answers.append(reply, through: SequenceNumber(command))
    }
    var sent: [String] = []
    answers.release(before: SequenceNumber(7)) { sent.append($0) }
    #expect(sent.isEmpty && answers.first == SequenceNumber(7) && answers.count == 3)
    answers.release(before: SequenceNumber(8)) { sent.append($0) }
    #expect(sent == ["a", "b"] && answers.first == SequenceNumber(9))
    answers.release(through: SequenceNumber(9)) { sent.append($0) }
    #expect(sent == ["a", "b", "c"] && answers.count == 0)
    #expect(answers.first == SequenceNumber(.max))
  }

  @Test("Answers to a disconnected client are dropped; the others keep their order.")
  func drop() {
    var answers = HeldAnswers<Int>()
    for reply in 1...6 { answers.append(reply, through: SequenceNumber(UInt64(reply))) }
    #expect(answers.take(through: SequenceNumber(1)) == 1)
    answers.drop { $0 % 2 == 0 }
    #expect(answers.count == 2 && answers.first == SequenceNumber(3))
    var sent: [Int] = []
    answers.release(through: SequenceNumber(.max)) { sent.append($0) }
    #expect(sent == [3, 5])
    answers.release(before: .none) { sent.append($0) }
    #expect(sent.count == 2)
  }
}
