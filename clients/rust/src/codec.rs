//! Frames: u16 length | u16 0xEB50 | SBE header (8) | block | group. Three visitors of messages: one writes a
//! frame, one reads it, one prints it.

use crate::messages::{Message, SCHEMA_ID, SCHEMA_VERSION};
use std::fmt::Write;

/// Length of frame header and SBE header, which precede the block.
pub const HEADER_LENGTH: usize = 12;
/// Encoding type of the frame header.
pub const ENCODING_TYPE: u16 = 0xEB50;

type Names = &'static [&'static str];

/// What is done with each field: it gets the value, and returns the field's new value.
pub trait Visitor {
    fn number(&mut self, name: &str, offset: usize, size: usize, value: u64) -> u64;
    fn nullable(&mut self, name: &str, offset: usize, size: usize, value: u64, null: u64) -> u64;
    fn integer(&mut self, name: &str, offset: usize, size: usize, value: i64) -> i64;
    fn text(&mut self, name: &str, offset: usize, length: usize, value: String) -> String;
    fn bytes(&mut self, name: &str, offset: usize, value: &mut [u8]);
    fn choice(&mut self, name: &str, offset: usize, value: u8, names: Names) -> u8;
    fn flags(&mut self, name: &str, offset: usize, value: u8, names: Names) -> u8;
    fn group<E: Entry>(&mut self, name: &str, entry_length: usize, entries: &mut Vec<E>);
}

/// A message's body.
pub trait Body: Default + Clone {
    const NAME: &'static str;
    const TEMPLATE: u16;
    const BLOCK_LENGTH: usize;
    fn visit<V: Visitor>(&mut self, v: &mut V);
}

/// An entry of a group.
pub trait Entry: Default {
    fn visit<V: Visitor>(&mut self, v: &mut V);
}

/// A message that the session numbers.
pub trait Request: Body {
    fn number(&mut self, seq_no: u64, sending_time: u64);
}

/// A frame that ends before what it says it contains, or that is none of this protocol.
#[derive(Debug)]
pub struct Malformed(pub &'static str);

/// The little-endian number in `bytes`.
pub fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Writes the fields of a message into a frame; what no field covers is 0.
struct Writer {
    frame: Vec<u8>,
    base: usize,
}

impl Writer {
    fn set(&mut self, at: usize, size: usize, value: u64) {
        self.frame[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }
}

impl Visitor for Writer {
    fn number(&mut self, _: &str, offset: usize, size: usize, value: u64) -> u64 {
        self.set(self.base + offset, size, value);
        value
    }
    fn nullable(&mut self, name: &str, offset: usize, size: usize, value: u64, _: u64) -> u64 {
        self.number(name, offset, size, value)
    }
    fn integer(&mut self, name: &str, offset: usize, size: usize, value: i64) -> i64 {
        self.number(name, offset, size, value as u64) as i64
    }
    fn text(&mut self, _: &str, offset: usize, length: usize, value: String) -> String {
        for (place, byte) in self.frame[self.base + offset..][..length].iter_mut().zip(value.bytes()) {
            *place = byte;
        }
        value
    }
    fn bytes(&mut self, _: &str, offset: usize, value: &mut [u8]) {
        self.frame[self.base + offset..][..value.len()].copy_from_slice(value);
    }
    fn choice(&mut self, name: &str, offset: usize, value: u8, _: Names) -> u8 {
        self.number(name, offset, 1, value.into()) as u8
    }
    fn flags(&mut self, name: &str, offset: usize, value: u8, _: Names) -> u8 {
        self.number(name, offset, 1, value.into()) as u8
    }
    fn group<E: Entry>(&mut self, _: &str, entry_length: usize, entries: &mut Vec<E>) {
        let start = self.frame.len();
        self.frame.resize(start + 4 + entry_length * entries.len(), 0);
        self.set(start, 2, entry_length as u64);
        self.set(start + 2, 2, entries.len() as u64);
        for (index, entry) in entries.iter_mut().enumerate() {
            self.base = start + 4 + entry_length * index;
            entry.visit(self);
        }
    }
}

/// Reads the fields of a message from a frame. A field that a shorter block of an older version lacks is null, or
/// 0; what a longer block of a newer version has besides is skipped.
struct Reader<'a> {
    frame: &'a [u8],
    base: usize,
    limit: usize,
    fault: Option<Malformed>,
}

impl Reader<'_> {
    fn read(&self, offset: usize, size: usize) -> Option<&[u8]> {
        if offset + size > self.limit { None } else { self.frame.get(self.base + offset..self.base + offset + size) }
    }
}

impl Visitor for Reader<'_> {
    fn number(&mut self, _: &str, offset: usize, size: usize, _: u64) -> u64 {
        self.read(offset, size).map_or(0, little)
    }
    fn nullable(&mut self, _: &str, offset: usize, size: usize, _: u64, null: u64) -> u64 {
        self.read(offset, size).map_or(null, little)
    }
    fn integer(&mut self, _: &str, offset: usize, size: usize, _: i64) -> i64 {
        let shift = 64 - 8 * size;
        (self.read(offset, size).map_or(0, little) << shift) as i64 >> shift
    }
    fn text(&mut self, _: &str, offset: usize, length: usize, _: String) -> String {
        let bytes = self.read(offset, length).unwrap_or_default();
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }
    fn bytes(&mut self, _: &str, offset: usize, value: &mut [u8]) {
        match self.read(offset, value.len()) {
            Some(bytes) => value.copy_from_slice(bytes),
            None => value.fill(0),
        }
    }
    fn choice(&mut self, name: &str, offset: usize, _: u8, _: Names) -> u8 {
        self.number(name, offset, 1, 0) as u8
    }
    fn flags(&mut self, name: &str, offset: usize, _: u8, _: Names) -> u8 {
        self.number(name, offset, 1, 0) as u8
    }
    fn group<E: Entry>(&mut self, _: &str, _: usize, entries: &mut Vec<E>) {
        entries.clear();
        let start = self.base + self.limit + 4;
        if start > self.frame.len() {
            self.fault = Some(Malformed("the frame ends before its group"));
            return;
        }
        self.limit = little(&self.frame[start - 4..start - 2]) as usize;
        let count = little(&self.frame[start - 2..start]) as usize;
        if start + self.limit * count > self.frame.len() {
            self.fault = Some(Malformed("the frame ends within its group"));
            return;
        }
        for index in 0..count {
            self.base = start + self.limit * index;
            let mut entry = E::default();
            entry.visit(self);
            entries.push(entry);
        }
    }
}

/// Prints the fields, one a line: name, space, value. Nulls are `null`, bytes hexadecimal digits.
#[derive(Default)]
struct Printer {
    text: String,
    prefix: String,
}

impl Printer {
    fn line(&mut self, name: &str, value: &str) {
        writeln!(self.text, "{}{name} {value}", self.prefix).expect("a String takes text");
    }
}

impl Visitor for Printer {
    fn number(&mut self, name: &str, _: usize, _: usize, value: u64) -> u64 {
        self.line(name, &value.to_string());
        value
    }
    fn nullable(&mut self, name: &str, _: usize, _: usize, value: u64, null: u64) -> u64 {
        self.line(name, &if value == null { "null".to_string() } else { value.to_string() });
        value
    }
    fn integer(&mut self, name: &str, _: usize, _: usize, value: i64) -> i64 {
        self.line(name, &value.to_string());
        value
    }
    fn text(&mut self, name: &str, _: usize, _: usize, value: String) -> String {
        self.line(name, &value);
        value
    }
    fn bytes(&mut self, name: &str, _: usize, value: &mut [u8]) {
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.line(name, &digits);
    }
    fn choice(&mut self, name: &str, _: usize, value: u8, names: Names) -> u8 {
        let number = value.to_string();
        self.line(name, names.get(usize::from(value)).unwrap_or(&number.as_str()));
        value
    }
    fn flags(&mut self, name: &str, _: usize, value: u8, names: Names) -> u8 {
        let set: Vec<&str> =
            names.iter().enumerate().filter(|(bit, _)| value >> bit & 1 == 1).map(|(_, name)| *name).collect();
        self.line(name, &set.join("|"));
        value
    }
    fn group<E: Entry>(&mut self, name: &str, _: usize, entries: &mut Vec<E>) {
        self.line(name, &entries.len().to_string());
        for (index, entry) in entries.iter_mut().enumerate() {
            self.prefix = format!("{name}[{index}].");
            entry.visit(self);
        }
        self.prefix.clear();
    }
}

/// The frame of a message's body.
pub fn encode<B: Body>(body: &B) -> Vec<u8> {
    let mut writer = Writer { frame: vec![0; HEADER_LENGTH + B::BLOCK_LENGTH], base: HEADER_LENGTH };
    let header = [ENCODING_TYPE, B::BLOCK_LENGTH as u16, B::TEMPLATE, SCHEMA_ID, SCHEMA_VERSION];
    for (index, value) in header.iter().enumerate() {
        writer.set(2 + 2 * index, 2, u64::from(*value));
    }
    body.clone().visit(&mut writer);
    writer.set(0, 2, writer.frame.len() as u64);
    writer.frame
}

/// The message in a whole frame; `None` for a template that this schema lacks.
pub fn decode(frame: &[u8]) -> Result<Option<Message>, Malformed> {
    if frame.len() < HEADER_LENGTH {
        return Err(Malformed("the frame is shorter than its headers"));
    }
    if little(&frame[8..10]) != u64::from(SCHEMA_ID) {
        return Err(Malformed("the frame has another schema"));
    }
    let limit = little(&frame[4..6]) as usize;
    if HEADER_LENGTH + limit > frame.len() {
        return Err(Malformed("the block is longer than the frame"));
    }
    let mut message = match Message::make(little(&frame[6..8]) as u16) {
        Some(message) => message,
        None => return Ok(None),
    };
    let mut reader = Reader { frame, base: HEADER_LENGTH, limit, fault: None };
    with_body!(&mut message, body => body.visit(&mut reader));
    match reader.fault {
        Some(fault) => Err(fault),
        None => Ok(Some(message)),
    }
}

impl Message {
    /// The name in the schema.
    pub fn name(&self) -> &'static str {
        fn name<B: Body>(_: &B) -> &'static str {
            B::NAME
        }
        with_body!(self, body => name(body))
    }

    /// The frame.
    pub fn encode(&self) -> Vec<u8> {
        with_body!(self, body => encode(body))
    }

    /// The fields, one a line.
    pub fn print(&self) -> String {
        let mut printer = Printer::default();
        with_body!(&mut self.clone(), body => body.visit(&mut printer));
        printer.text
    }
}
