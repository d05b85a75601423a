package joulebook;

import java.nio.file.Path;
import joulebook.Messages.Side;
import joulebook.Session.Lost;
import joulebook.Session.Refused;

/**
 * A bot that buys or sells a quantity in parts, one order at a time, and goes on after whatever happens to its
 * connection or to the exchange. It never cancels: what stands, stands.
 *
 * <pre>Bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]</pre>
 *
 * PRICE is in 1e-5 currency per kWh, QUANTITY and PART are in Wh. CERTIFICATES is a file (PEM) with what to trust: then
 * the connection has TLS. clients/scenarios.txt has what it prints.
 */
final class Bot {
  private final Session session;
  private final long account;
  private final int area;
  private final long instrument;
  private final int side;
  private final long price;
  private final long quantity;
  private final long part;
  private long traded;
  private LevelBook book;
  /** The order: its number (0: none), what is open, and whether its first report is still to come. */
  private long order;
  private long leaves;
  private boolean isPending;
  /** Numbers of the messages with the order and with the subscription. */
  private long sent;
  private long subscription;
  /** When what was throttled is sent again; 0: nothing was. */
  private long again;

  private Bot(String[] a) throws Exception {
    session = new Session(a[0], Integer.parseInt(a[1]), Long.parseLong(a[2]), Session.readKey(Path.of(a[3])));
    if (a.length == 12) session.tls = Tls.trust(Path.of(a[11]));
    session.keepAlive = 1_000;
    session.cancelAfter = Messages.NULL_CANCEL_AFTER;
    account = Long.parseLong(a[4]);
    area = Integer.parseInt(a[5]);
    instrument = Long.parseLong(a[6]);
    side = a[7].equals("sell") ? Side.SELL : Side.BUY;
    price = Long.parseLong(a[8]);
    quantity = Long.parseLong(a[9]);
    part = Long.parseLong(a[10]);
  }

  private void run() throws Refused, Lost, InterruptedException {
    session.connect();
    System.out.println("logged on");
    subscribe();
    while (traded < quantity) {
      try {
        step();
      } catch (Lost loss) {
        System.out.println(loss.getMessage());
        // The operator has reset the version: the orders stand, but nobody can ask for their reports.
        if (loss.code == 1025) throw new Refused(loss.code);
        comeBack();
      }
    }
    session.finish(10_000);
    session.close();
    System.out.println("done " + traded);
  }

  private void subscribe() throws Lost {
    book = new LevelBook(area);
    Messages.MarketDataSubscribe message = new Messages.MarketDataSubscribe();
    message.area = area;
    message.snapshot = Messages.SnapshotKind.LEVELS;
    subscription = session.send(message);
  }

  /** Sends the order. Sent again with its number, it happens once. */
  private void enter(String note) throws Lost {
    Messages.NewOrder message = new Messages.NewOrder();
    message.clientOrderId = order;
    message.account = account;
    message.instrument = instrument;
    message.side = side;
    message.price = price;
    message.quantity = leaves;
    isPending = true;
    System.out.println("sent " + leaves + note);
    sent = session.send(message);
  }

  private void step() throws Refused, Lost {
    if (again != 0 && Session.now() >= again) {
      again = 0;
      if (!book.isComplete()) subscribe();
      if (isPending) enter(" again");
    } else if (order == 0 && book.isComplete()) {
      order = Session.now();
      leaves = Math.min(part, quantity - traded);
      enter("");
    }
    Codec.Message message = session.receive(200);
    if (message == null) return;
    long missing = book.take(message);
    if (missing != 0) {
      Messages.MarketDataResume resume = new Messages.MarketDataResume();
      resume.area = area;
      resume.fromSeqNo = missing;
      resume.view = Messages.ChannelView.LEVELS;
      session.send(resume);
    }
    take(message);
  }

  private void take(Codec.Message message) throws Refused {
    if (message instanceof Messages.SnapshotEnd) {
      Messages.Level bid = book.best(instrument, Side.BUY);
      Messages.Level ask = book.best(instrument, Side.SELL);
      System.out.println("book bid " + bid.live + " at " + bid.price + " ask " + ask.live + " at " + ask.price);
    } else if (message instanceof Messages.Accepted report) {
      isPending = false;
      System.out.println("accepted covered " + report.covered + " waiting " + (report.quantity - report.covered));
    } else if (message instanceof Messages.Restated report) {
      System.out.println("restated covered " + report.covered + " waiting " + report.waiting);
    } else if (message instanceof Messages.Trade report) {
      traded += report.quantity;
      System.out.println("trade " + report.quantity + " at " + report.price + " leaves " + report.leaves);
      setLeaves(report.leaves);
    } else if (message instanceof Messages.Canceled report) {
      System.out.println("canceled " + report.canceledQuantity + " leaves " + report.leaves);
      setLeaves(report.leaves);
    } else if (message instanceof Messages.Rejected report && report.code != 4012) {
      // 4012: the order that was sent again had arrived; its report has come, or comes.
      System.out.println("rejected " + report.code);
      boolean isThrottled = report.code >= 9001 && report.code <= 9003 || report.code == 9007;
      boolean isLast = report.refSeqNo == sent || report.refSeqNo == subscription;
      if (!isThrottled || !isLast) throw new Refused(report.code);
      again = Session.now() + 1_000_000_000;
    }
  }

  private void setLeaves(long leaves) {
    this.leaves = leaves;
    if (leaves == 0) order = 0;
  }

  /** Resumes the session, with growing pauses between attempts. */
  private void comeBack() throws Refused, InterruptedException {
    boolean isKnown = true;
    for (int pause = 100;; pause = Math.min(2 * pause, 5_000)) {
      Thread.sleep(pause);
      try {
        if (isKnown) {
          System.out.println("resumed, missed " + session.resume());
        } else {
          session.connect();
          System.out.println("logged on");
          order = 0;
          isPending = false;
        }
        subscribe();
        if (isPending) enter(" again"); // It may not have arrived.
        return;
      } catch (Refused refusal) {
        // The exchange does not know the session's version: nothing of it happened.
        if (refusal.code != 1005 && refusal.code != 1013) throw refusal;
        isKnown = false;
      } catch (Lost loss) {
        // The next attempt comes after a longer pause.
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 11 && arguments.length != 12) {
      System.err.println("Bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]");
      System.exit(64);
    }
    try {
      new Bot(arguments).run();
    } catch (Refused refusal) {
      System.out.println(refusal.getMessage());
      System.exit(77);
    } catch (Lost | java.io.IOException fault) {
      System.err.println(fault.getMessage());
      System.exit(69);
    }
  }
}
