//! A bot that buys or sells a quantity in parts, one order at a time, and goes on after whatever happens to its
//! connection or to the exchange. It never cancels: what stands, stands.
//!
//!     bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]
//!
//! PRICE is in 1e-5 currency per kWh, QUANTITY and PART are in Wh. CERTIFICATES is a file (PEM) with what to trust: then
//! the connection has TLS. clients/scenarios.txt has what it prints.

use joulebook::book::LevelBook;
use joulebook::messages::*;
use joulebook::session::{now, read_key, Failure, Session};
use std::time::Duration;

struct Bot {
    session: Session,
    account: u32,
    area: u16,
    instrument: u32,
    side: Side,
    price: i64,
    quantity: i64,
    part: i64,
    traded: i64,
    book: LevelBook,
    /// The order: its number (0: none), what is open, and whether its first report is still to come.
    order: u64,
    leaves: i64,
    is_pending: bool,
    /// Numbers of the messages with the order and with the subscription.
    sent: u64,
    subscription: u64,
    /// When what was throttled is sent again; 0: nothing was.
    again: u64,
}

impl Bot {
    fn run(&mut self) -> Result<(), Failure> {
        self.session.connect()?;
        println!("logged on");
        self.subscribe()?;
        while self.traded < self.quantity {
            match self.step() {
                Err(Failure::Lost(why, code)) => {
                    println!("lost: {why}");
                    // The operator has reset the version: the orders stand, but nobody can ask for their reports.
                    if code == 1025 {
                        return Err(Failure::Refused(code));
                    }
                    self.come_back()?;
                }
                other => other?,
            }
        }
        self.session.finish(Duration::from_secs(10))?;
        self.session.close()?;
        println!("done {}", self.traded);
        Ok(())
    }

    fn subscribe(&mut self) -> Result<(), Failure> {
        self.book = LevelBook::new(self.area);
        let mut message =
            MarketDataSubscribe { area: self.area, snapshot: SnapshotKind::LEVELS, ..Default::default() };
        self.subscription = self.session.send(&mut message)?;
        Ok(())
    }

    /// Sends the order. Sent again with its number, it happens once.
    fn enter(&mut self, note: &str) -> Result<(), Failure> {
        let mut message = NewOrder {
            client_order_id: self.order, account: self.account, instrument: self.instrument, side: self.side,
            price: self.price, quantity: self.leaves, ..Default::default()
        };
        self.sent = self.session.send(&mut message)?;
        self.is_pending = true;
        println!("sent {}{note}", self.leaves);
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        if self.again != 0 && now() >= self.again {
            self.again = 0;
            if !self.book.is_complete {
                self.subscribe()?;
            }
            if self.is_pending {
                self.enter(" again")?;
            }
        } else if self.order == 0 && self.book.is_complete {
            (self.order, self.leaves) = (now(), self.part.min(self.quantity - self.traded));
            self.enter("")?;
        }
        let message = match self.session.receive(Duration::from_millis(200))? {
            Some(message) => message,
            None => return Ok(()),
        };
        if let Some(missing) = self.book.take(&message) {
            let view = ChannelView::LEVELS;
            self.session.send(&mut MarketDataResume {
                area: self.area, from_seq_no: missing, view, ..Default::default()
            })?;
        }
        self.take(message)
    }

    fn take(&mut self, message: Message) -> Result<(), Failure> {
        match message {
            Message::SnapshotEnd(_) => {
                let best = |side| self.book.best(self.instrument, side).map_or((0, 0), |level| (level.live, level.price));
                let (bid, ask) = (best(Side::BUY), best(Side::SELL));
                println!("book bid {} at {} ask {} at {}", bid.0, bid.1, ask.0, ask.1);
            }
            Message::Accepted(report) => {
                self.is_pending = false;
                println!("accepted covered {} waiting {}", report.covered, report.quantity - report.covered);
            }
            Message::Restated(report) => println!("restated covered {} waiting {}", report.covered, report.waiting),
            Message::Trade(report) => {
                self.traded += report.quantity;
                println!("trade {} at {} leaves {}", report.quantity, report.price, report.leaves);
                self.set_leaves(report.leaves);
            }
            Message::Canceled(report) => {
                println!("canceled {} leaves {}", report.canceled_quantity, report.leaves);
                self.set_leaves(report.leaves);
            }
            // 4012: the order that was sent again had arrived; its report has come, or comes.
            Message::Rejected(report) if report.code != 4012 => {
                println!("rejected {}", report.code);
                let is_last = report.ref_seq_no == self.sent || report.ref_seq_no == self.subscription;
                if !matches!(report.code, 9001..=9003 | 9007) || !is_last {
                    return Err(Failure::Refused(report.code));
                }
                self.again = now() + 1_000_000_000;
            }
            _ => {}
        }
        Ok(())
    }

    fn set_leaves(&mut self, leaves: i64) {
        self.leaves = leaves;
        if leaves == 0 {
            self.order = 0;
        }
    }

    /// Resumes the session, with growing pauses between attempts.
    fn come_back(&mut self) -> Result<(), Failure> {
        let (mut is_known, mut pause) = (true, 100);
        loop {
            std::thread::sleep(Duration::from_millis(pause));
            pause = (2 * pause).min(5_000);
            match self.log_on_again(is_known) {
                // The exchange does not know the session's version: nothing of it happened.
                Err(Failure::Refused(1005 | 1013)) => is_known = false,
                Err(Failure::Lost(..)) => {}
                result => return result,
            }
        }
    }

    fn log_on_again(&mut self, is_known: bool) -> Result<(), Failure> {
        if is_known {
            println!("resumed, missed {}", self.session.resume()?);
        } else {
            self.session.connect()?;
            println!("logged on");
            (self.order, self.is_pending) = (0, false);
        }
        self.subscribe()?;
        // It may not have arrived.
        if self.is_pending { self.enter(" again") } else { Ok(()) }
    }
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.len() != 12 && a.len() != 13 {
        eprintln!("bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]");
        std::process::exit(64);
    }
    let number = |index: usize| a[index].parse::<i64>().expect("a number");
    let key = read_key(&a[4]).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(69);
    });
    let mut session = Session::new(format!("{}:{}", a[1], a[2]), number(3) as u32, key);
    session.trusted = a.get(12).cloned();
    session.keep_alive = 1_000;
    session.cancel_after = NULL_CANCEL_AFTER as u32;
    let area = number(6) as u16;
    let mut bot = Bot {
        session, account: number(5) as u32, area, instrument: number(7) as u32,
        side: if a[8] == "sell" { Side::SELL } else { Side::BUY },
        price: number(9), quantity: number(10), part: number(11), traded: 0, book: LevelBook::new(area),
        order: 0, leaves: 0, is_pending: false, sent: 0, subscription: 0, again: 0,
    };
    if let Err(failure) = bot.run() {
        if matches!(failure, Failure::Refused(_)) {
            println!("{failure}");
            std::process::exit(77);
        }
        eprintln!("{failure}");
        std::process::exit(69);
    }
}
