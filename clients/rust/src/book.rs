//! The published depth of an area: from a snapshot of its levels, and the updates after it.

use crate::messages::{Level, Message, Side};
use std::collections::HashMap;

/// The price levels of an area. Pass it each message of a subscription with `SnapshotKind::LEVELS`. A new
/// subscription needs a new book.
pub struct LevelBook {
    area: u16,
    last: u64,
    /// Whether a whole snapshot has come.
    pub is_complete: bool,
    levels: HashMap<(u32, Side, i64), Level>,
}

impl LevelBook {
    /// The empty book of an area.
    pub fn new(area: u16) -> LevelBook {
        LevelBook { area, last: 0, is_complete: false, levels: HashMap::new() }
    }

    /// Applies a message. After a gap it returns the first missing number, to be asked for with MarketDataResume,
    /// and ignores newer messages until the missing ones have come.
    pub fn take(&mut self, message: &Message) -> Option<u64> {
        match message {
            Message::LevelSnapshot(part) if part.area == self.area => {
                part.levels.iter().for_each(|level| self.set(part.instrument, level.clone()))
            }
            Message::SnapshotEnd(end) if end.area == self.area => {
                self.last = end.seq_no;
                self.is_complete = true;
            }
            Message::LevelUpdate(update) if update.area == self.area => {
                // Without a number it corrects a snapshot in progress.
                let applies =
                    if update.seq_no == 0 { !self.is_complete } else { self.count(update.seq_no) };
                if applies {
                    let level = Level {
                        price: update.price,
                        total: update.total,
                        live: update.live,
                        order_count: update.order_count,
                        side: update.side,
                    };
                    self.set(update.instrument, level);
                }
                return self.missing(update.seq_no);
            }
            Message::MarketTrade(trade) if trade.area == self.area => {
                self.count(trade.seq_no);
                return self.missing(trade.seq_no);
            }
            Message::StateChange(change) if change.area == self.area => {
                self.count(change.seq_no);
                return self.missing(change.seq_no);
            }
            _ => {}
        }
        None
    }

    /// The best level that can trade now: that of the live bid or the live ask. (The selling and the buying price are
    /// those of all levels.)
    pub fn best(&self, instrument: u32, side: Side) -> Option<&Level> {
        let levels = self.levels.iter().filter(|((of, on, _), level)| *of == instrument && *on == side && level.live > 0);
        let rank = |level: &Level| if side == Side::BUY { level.price } else { -level.price };
        levels.map(|(_, level)| level).max_by_key(|level| rank(level))
    }

    /// Counts a numbered message; whether it is the next one.
    fn count(&mut self, seq_no: u64) -> bool {
        let is_next = self.is_complete && seq_no == self.last + 1;
        if is_next {
            self.last = seq_no;
        }
        is_next
    }

    fn missing(&self, seq_no: u64) -> Option<u64> {
        if self.is_complete && seq_no > self.last + 1 { Some(self.last + 1) } else { None }
    }

    fn set(&mut self, instrument: u32, level: Level) {
        let key = (instrument, level.side, level.price);
        if level.order_count == 0 {
            self.levels.remove(&key);
        } else {
            self.levels.insert(key, level);
        }
    }
}
