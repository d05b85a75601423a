//! Each golden vector of clients/vectors.txt is read, printed and written again: both must be what the file says.

use joulebook::book::LevelBook;
use joulebook::codec::decode;
use joulebook::messages::Side;

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("a digit")).collect()
}

#[test]
fn vectors() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors.txt")).expect("vectors");
    let mut count = 0;
    for vector in text.split_terminator("\n\n") {
        let (head, fields) = vector.split_once('\n').expect("fields");
        let words: Vec<&str> = head.split(' ').collect();
        let frame = bytes(words[2]);
        let message = decode(&frame).expect(head).expect(head);
        assert_eq!(message.name(), words[0]);
        assert_eq!(message.print().trim_end_matches('\n'), fields, "{head}");
        // Frames of other versions of the schema are read, not written.
        if !matches!(words[1], "older" | "newer") {
            assert_eq!(message.encode(), frame, "{head}");
        }
        for length in 0..frame.len() {
            assert!(decode(&frame[..length]).is_err(), "a frame of {length} bytes is read: {head}");
        }
        count += 1;
    }
    assert!(count > 100);
    println!("{count} vectors");
}

/// A book takes the frames of clients/book.txt: after each it must be what the file says.
#[test]
fn book() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../book.txt")).expect("frames");
    let mut book = LevelBook::new(1);
    for line in text.lines() {
        let (frame, expected) = line.split_once(' ').expect("a frame and a book");
        let message = decode(&bytes(frame)).expect(line).expect(line);
        let missing = book.take(&message).unwrap_or(0);
        let best = |side| book.best(1, side).map_or((0, 0), |level| (level.live, level.price));
        let (bid, ask) = (best(Side::BUY), best(Side::SELL));
        let found = format!("missing {missing} bid {} at {} ask {} at {}", bid.0, bid.1, ask.0, ask.1);
        assert_eq!(found, expected);
    }
    assert!(book.is_complete);
}
