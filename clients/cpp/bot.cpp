// A bot that buys or sells a quantity in parts, one order at a time, and goes on after whatever happens to its
// connection or to the exchange. It never cancels: what stands, stands.
//
//     bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]
//
// PRICE is in 1e-5 currency per kWh, QUANTITY and PART are in Wh. CERTIFICATES is a file (PEM) with what to trust: then
// the connection has TLS. clients/scenarios.txt has what it prints.

#include <iostream>
#include <thread>

#include "joulebook/book.hpp"
#include "joulebook/session.hpp"

using namespace joulebook;

class Bot {
 public:
  Bot(char** a)
      : session_(a[1], a[2], uint32_t(atol(a[3])), readKey(a[4])), account_(uint32_t(atol(a[5]))),
        area_(uint16_t(atol(a[6]))), instrument_(uint32_t(atol(a[7]))),
        side_(a[8] == std::string("sell") ? Side::sell : Side::buy), price_(atoll(a[9])), quantity_(atoll(a[10])),
        part_(atoll(a[11])) {
    if (a[12]) session_.trust(a[12]);
    session_.keepAlive = 1'000;
    session_.cancelAfter = nullCancelAfter;
  }

  void run() {
    session_.connect();
    std::cout << "logged on" << std::endl;
    subscribe();
    while (traded_ < quantity_) {
      try {
        step();
      } catch (const Lost& loss) {
        std::cout << loss.what() << std::endl;
        // The operator has reset the version: the orders stand, but nobody can ask for their reports.
        if (loss.code == 1025) throw Refused(loss.code);
        comeBack();
      }
    }
    session_.finish();
    session_.close();
    std::cout << "done " << traded_ << std::endl;
  }

 private:
  Session session_;
  uint32_t account_;
  uint16_t area_;
  uint32_t instrument_;
  Side side_;
  int64_t price_, quantity_, part_, traded_ = 0;
  LevelBook book_{0};
  /// The order: its number (0: none), what is open, and whether its first report is still to come.
  uint64_t order_ = 0;
  int64_t leaves_ = 0;
  bool isPending_ = false;
  /// Numbers of the messages with the order and with the subscription.
  uint64_t sent_ = 0, subscription_ = 0;
  /// When what was throttled is sent again; 0: nothing was.
  uint64_t again_ = 0;

  void subscribe() {
    book_ = LevelBook(area_);
    MarketDataSubscribe message;
    message.area = area_, message.snapshot = SnapshotKind::levels;
    subscription_ = session_.send(message);
  }

  /// Sends the order. Sent again with its number, it happens once.
  void enter(const char* note = "") {
    NewOrder message;
    message.clientOrderId = order_, message.account = account_, message.instrument = instrument_;
    message.side = side_, message.price = price_, message.quantity = leaves_;
    sent_ = session_.send(message);
    isPending_ = true;
    std::cout << "sent " << leaves_ << note << std::endl;
  }

  void step() {
    if (again_ != 0 && now() >= again_) {
      again_ = 0;
      if (!book_.isComplete()) subscribe();
      if (isPending_) enter(" again");
    } else if (order_ == 0 && book_.isComplete()) {
      order_ = std::max(order_ + 1, now()), leaves_ = std::min(part_, quantity_ - traded_);
      enter();
    }
    auto message = session_.receive(200);
    if (!message) return;
    if (auto missing = book_.take(*message)) {
      MarketDataResume resume;
      resume.area = area_, resume.fromSeqNo = *missing, resume.view = ChannelView::levels;
      session_.send(resume);
    }
    std::visit([this](auto& body) { take(body); }, *message);
  }

  template <class Other> void take(const Other&) {}

  void take(const SnapshotEnd&) {
    Level bid = book_.best(instrument_, Side::buy), ask = book_.best(instrument_, Side::sell);
    std::cout << "book bid " << bid.live << " at " << bid.price << " ask " << ask.live << " at " << ask.price << std::endl;
  }

  void take(const Accepted& report) {
    isPending_ = false;
    std::cout << "accepted covered " << report.covered << " waiting " << report.quantity - report.covered << std::endl;
  }

  void take(const Restated& report) {
    std::cout << "restated covered " << report.covered << " waiting " << report.waiting << std::endl;
  }

  void take(const Trade& report) {
    traded_ += report.quantity;
    std::cout << "trade " << report.quantity << " at " << report.price << " leaves " << report.leaves << std::endl;
    setLeaves(report.leaves);
  }

  void take(const Canceled& report) {
    std::cout << "canceled " << report.canceledQuantity << " leaves " << report.leaves << std::endl;
    setLeaves(report.leaves);
  }

  void setLeaves(int64_t leaves) {
    leaves_ = leaves;
    if (leaves == 0) order_ = 0;
  }

  void take(const Rejected& report) {
    // The order that was sent again had arrived: its report has come, or comes.
    if (report.code == 4012) return;
    std::cout << "rejected " << report.code << std::endl;
    bool isThrottled = report.code == 9003 || report.code == 9007 || report.code == 9001 || report.code == 9002;
    bool isLast = report.refSeqNo == sent_ || report.refSeqNo == subscription_;
    if (!isThrottled || !isLast) throw Refused(report.code);
    again_ = now() + 1'000'000'000;
  }

  /// Resumes the session, with growing pauses between attempts.
  void comeBack() {
    bool isKnown = true;
    for (int pause = 100;; pause = std::min(2 * pause, 5'000)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(pause));
      try {
        if (isKnown) {
          uint64_t missed = session_.resume();
          std::cout << "resumed, missed " << missed << std::endl;
        } else {
          session_.connect();
          std::cout << "logged on" << std::endl;
          order_ = 0, isPending_ = false;
        }
        subscribe();
        if (isPending_) enter(" again");  // It may not have arrived.
        return;
      } catch (const Refused& refusal) {
        // The exchange does not know the session's version: nothing of it happened.
        if (refusal.code != 1005 && refusal.code != 1013) throw;
        isKnown = false;
      } catch (const Lost&) {
      }
    }
  }
};

int main(int count, char** arguments) {
  if (count != 12 && count != 13) {
    std::cerr << "bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]\n";
    return 64;
  }
  try {
    Bot(arguments).run();
  } catch (const Refused& refusal) {
    std::cout << refusal.what() << std::endl;
    return 77;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 69;
  }
  return 0;
}
