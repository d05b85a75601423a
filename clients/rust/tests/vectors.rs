//! Each golden vector of clients/vectors.txt is read, printed and written again: both must be what the file says.

use joulebook::codec::decode;

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
