//! A session with the exchange on one connection, for one thread. `receive` does the session's own work:
//! keep-alives, silence, missed reports.

use crate::codec::{decode, encode, little, Body, Request, ENCODING_TYPE, HEADER_LENGTH};
use crate::messages::*;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVersion};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Why a session did not begin, or ended.
#[derive(Debug)]
pub enum Failure {
    /// The exchange refused a log-on with a code of docs/reject-codes.md.
    Refused(u16),
    /// The exchange ended the session with a code, or the connection was lost (0). `resume` takes it up again.
    Lost(String, u16),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(code) => write!(f, "refused {code}"),
            Failure::Lost(why, _) => write!(f, "lost: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

type Outcome<T> = Result<T, Failure>;
type Frame = Vec<u8>;

fn lost<T>(why: &str) -> Outcome<T> {
    Err(Failure::Lost(why.to_string(), 0))
}

fn terminated<T>(end: &Terminate) -> Outcome<T> {
    Err(Failure::Lost(format!("terminated {}", end.code), end.code))
}

/// The private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it. An error if others
/// than the file's owner have access to it.
pub fn read_key(path: &str) -> io::Result<PKey<Private>> {
    let fault = |why: &str| io::Error::new(ErrorKind::InvalidData, format!("{path}: {why}"));
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        return Err(fault("others have access to this key: chmod 600"));
    }
    let text = std::fs::read_to_string(path)?;
    let digits = text.trim();
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(fault("no 64 hexadecimal digits"));
    }
    let seed: Result<Vec<u8>, _> = (0..32).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16)).collect();
    let seed = seed.map_err(|_| fault("no hexadecimal digits"))?;
    PKey::private_key_from_raw_bytes(&seed, Id::ED25519).map_err(|error| fault(&error.to_string()))
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

/// Most reports that one RetransmitRequest asks for.
const MOST_AGAIN: u64 = 10_000;

/// A connection, with TLS or without.
enum Stream {
    Plain(TcpStream),
    Secure(Box<SslStream<TcpStream>>),
}

impl Stream {
    /// Shakes hands where `trusted` names a file of certificates: that of the server must be trusted, and name the host.
    fn new(stream: TcpStream, trusted: Option<&str>, host: &str) -> Result<Stream, String> {
        let path = match trusted {
            Some(path) => path,
            None => return Ok(Stream::Plain(stream)),
        };
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|error| error.to_string())?;
        builder.set_ca_file(path).map_err(|error| format!("{path}: {error}"))?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_3)).map_err(|error| error.to_string())?;
        let secure = builder.build().connect(host, stream).map_err(|error| error.to_string())?;
        Ok(Stream::Secure(Box::new(secure)))
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Secure(stream) => stream.get_ref(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(bytes),
            Stream::Secure(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Secure(stream) => stream.flush(),
        }
    }
}

/// A session identity's connection.
pub struct Session {
    /// Milliseconds without sending after which either side sends Sequence; 1,000 to 60,000.
    pub keep_alive: u32,
    /// When orders are cancelled after a loss, in ms; `NULL_CANCEL_AFTER`: they stand.
    pub cancel_after: u32,
    /// A file of certificates (PEM) that are trusted: a server's own one, or that of its authority; `None`: no TLS.
    pub trusted: Option<String>,
    address: String,
    identity: u32,
    key: PKey<Private>,
    stream: Option<Stream>,
    is_established: bool,
    input: Vec<u8>,
    challenge: Vec<u8>,
    held: VecDeque<Frame>,
    version: u64,
    next: u64,
    next_report: u64,
    /// Missed reports are those from `missing` to before `end`; they are asked for up to `asked`.
    missing: u64,
    end: u64,
    asked: u64,
    last_sent: Instant,
    last_received: Instant,
}

fn template(frame: &[u8]) -> u16 {
    little(&frame[6..8]) as u16
}

/// The number of a report; 0 for other messages.
fn report_number(frame: &[u8]) -> u64 {
    if (40..=61).contains(&template(frame)) && frame.len() >= 20 { little(&frame[HEADER_LENGTH..20]) } else { 0 }
}

fn message(frame: &[u8]) -> Outcome<Option<Message>> {
    decode(frame).map_err(|fault| Failure::Lost(fault.0.to_string(), 0))
}

impl Session {
    /// A session at `host:port` that is not connected yet.
    pub fn new(address: String, identity: u32, key: PKey<Private>) -> Session {
        Session {
            keep_alive: 5_000, cancel_after: 0, trusted: None, address, identity, key,
            stream: None, is_established: false, input: Vec::new(), challenge: Vec::new(), held: VecDeque::new(),
            version: 0, next: 1, next_report: 1, missing: 0, end: 0, asked: 0,
            last_sent: Instant::now(), last_received: Instant::now(),
        }
    }

    /// Connects and logs on with a new session version.
    pub fn connect(&mut self) -> Outcome<()> {
        self.open()?;
        self.version = now().max(self.version + 1);
        let request = Negotiate {
            session_id: self.identity, session_version: self.version, timestamp: now(), ..Default::default()
        };
        self.log_on(&request, b"JOULEBOOK-NEGOTIATE-2", NegotiationResponse::TEMPLATE)?;
        self.establish(1)?;
        (self.next_report, self.missing, self.end) = (1, 0, 0);
        Ok(())
    }

    /// Connects and takes up the session of a lost connection; returns the number of missed reports, which
    /// `receive` returns before anything newer. Refused with 1005 or 1013: the exchange does not know the
    /// session's version, and nothing of it happened.
    pub fn resume(&mut self) -> Outcome<u64> {
        self.open()?;
        let next = self.establish(0)?;
        self.missing = self.next_report;
        self.end = next.max(self.next_report);
        self.ask_again()?;
        Ok(self.end - self.missing)
    }

    /// Numbers and sends a message; returns its number.
    pub fn send<R: Request>(&mut self, request: &mut R) -> Outcome<u64> {
        request.number(self.next, now());
        self.next += 1;
        self.write(&encode(request))?;
        Ok(self.next - 1)
    }

    /// The next message; `None` when none comes in time.
    pub fn receive(&mut self, wait: Duration) -> Outcome<Option<Message>> {
        let deadline = Instant::now() + wait;
        loop {
            if self.missing == self.end {
                if let Some(frame) = self.held.pop_front() {
                    if let Some(message) = self.deliver(&frame)? {
                        return Ok(Some(message));
                    }
                    continue;
                }
            }
            let frame = match self.read_frame(deadline)? {
                Some(frame) => frame,
                None => return Ok(None),
            };
            let is_missed = (self.missing..self.end).contains(&report_number(&frame));
            // What is newer waits until the missed reports have come.
            if self.missing < self.end && !is_missed && template(&frame) >= 20 {
                self.held.push_back(frame);
            } else if let Some(message) = self.deliver(&frame)? {
                return Ok(Some(message));
            }
        }
    }

    /// Waits until each message that was sent has its answer and each report has come, and returns what came.
    pub fn finish(&mut self, wait: Duration) -> Outcome<Vec<Message>> {
        self.write(&encode(&FinishedSending { session_version: self.version, last_seq_no: self.next - 1 }))?;
        let (mut left, mut last) = (Vec::new(), u64::MAX);
        while self.next_report <= last {
            match self.receive(wait)? {
                Some(Message::FinishedSending(finished)) => last = finished.last_seq_no,
                Some(message) => left.push(message),
                None => return lost("no end"),
            }
        }
        self.write(&encode(&FinishedReceiving { session_version: self.version }))?;
        Ok(left)
    }

    /// Ends the session in order.
    pub fn close(&mut self) -> Outcome<()> {
        let result = self.write(&encode(&Terminate { session_version: self.version, ..Default::default() }));
        self.drop_connection();
        result
    }

    /// Closes the connection without a Terminate, as if it were lost.
    pub fn drop_connection(&mut self) {
        (self.stream, self.is_established) = (None, false);
        self.input.clear();
        self.held.clear();
    }

    /// Connects, and waits for Challenge.
    fn open(&mut self) -> Outcome<()> {
        self.drop_connection();
        let address = self.address.to_socket_addrs().ok().and_then(|mut found| found.next());
        let stream = address.and_then(|address| TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok());
        let stream = stream.ok_or_else(|| Failure::Lost("no connection".to_string(), 0))?;
        // Neither can fail on an open socket.
        let patience = Some(Duration::from_secs(5));
        let _ = stream.set_nodelay(true).and(stream.set_write_timeout(patience)).and(stream.set_read_timeout(patience));
        let host = self.address.rsplit_once(':').map_or("", |parts| parts.0).trim_matches(&['[', ']'][..]);
        let stream = Stream::new(stream, self.trusted.as_deref(), host)
            .map_err(|why| Failure::Lost(format!("no connection: {why}"), 0))?;
        self.stream = Some(stream);
        (self.last_sent, self.last_received) = (Instant::now(), Instant::now());
        self.challenge = self.answer(Challenge::TEMPLATE)?;
        Ok(())
    }

    /// The frame of the answer of one template; those that this schema lacks are skipped.
    fn answer(&mut self, expected: u16) -> Outcome<Frame> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let frame = match self.read_frame(deadline)? {
                Some(frame) if template(&frame) == expected => return Ok(frame),
                Some(frame) => frame,
                None => return lost("no answer"),
            };
            let found = match message(&frame)? {
                Some(found) => found,
                None => continue,
            };
            self.drop_connection();
            return match found {
                Message::NegotiationReject(reject) => Err(Failure::Refused(reject.code)),
                Message::EstablishmentReject(reject) => Err(Failure::Refused(reject.code)),
                Message::Terminate(end) => terminated(&end),
                _ => lost("another answer"),
            };
        }
    }

    /// Signs tag, market id, nonce and the frame up to its signature, which is last.
    fn log_on<B: Body>(&mut self, request: &B, tag: &[u8], expected: u16) -> Outcome<Frame> {
        let mut frame = encode(request);
        let at = frame.len() - 64;
        let text = [tag, &self.challenge[12..60], &frame[4..at]].concat();
        let signature = Signer::new_without_digest(&self.key).and_then(|mut signer| signer.sign_oneshot_to_vec(&text));
        frame[at..].copy_from_slice(&signature.expect("an Ed25519 key signs"));
        self.write(&frame)?;
        self.answer(expected)
    }

    /// Establishes the session; returns the number of the server's next report.
    fn establish(&mut self, next: u64) -> Outcome<u64> {
        let request = Establish {
            session_id: self.identity, session_version: self.version, timestamp: now(), next_seq_no: next,
            keep_alive_interval: self.keep_alive, cancel_after: self.cancel_after, ..Default::default()
        };
        let frame = self.log_on(&request, b"JOULEBOOK-ESTABLISH-2", EstablishmentAck::TEMPLATE)?;
        match message(&frame)? {
            Some(Message::EstablishmentAck(ack)) => {
                (self.next, self.is_established) = (ack.next_client_seq_no, true);
                Ok(ack.next_server_seq_no)
            }
            _ => lost("another answer"),
        }
    }

    fn ask_again(&mut self) -> Outcome<()> {
        if self.missing == self.end {
            return Ok(());
        }
        self.asked = self.end.min(self.missing + MOST_AGAIN);
        self.write(&encode(&RetransmitRequest {
            session_version: self.version, timestamp: now(),
            from_seq_no: self.missing, count: (self.asked - self.missing) as u32,
        }))
    }

    fn write(&mut self, frame: &[u8]) -> Outcome<()> {
        self.last_sent = Instant::now();
        let sent = match &mut self.stream {
            Some(stream) => stream.write_all(frame).is_ok(),
            None => return lost("closed"),
        };
        if sent {
            return Ok(());
        }
        // What the server sent before it closed the connection may say why.
        let why = loop {
            match self.read_frame(Instant::now()) {
                Ok(Some(frame)) => {
                    if let Ok(Some(Message::Terminate(end))) = decode(&frame) {
                        break terminated(&end);
                    }
                }
                _ => break lost("closed"),
            }
        };
        self.drop_connection();
        why
    }

    /// A whole frame of what has been read.
    fn take_frame(&mut self) -> Outcome<Option<Frame>> {
        if self.input.len() < 4 {
            return Ok(None);
        }
        let length = little(&self.input[..2]) as usize;
        if length < HEADER_LENGTH || little(&self.input[2..4]) != u64::from(ENCODING_TYPE) {
            self.drop_connection();
            return lost("no frame");
        }
        if self.input.len() < length { Ok(None) } else { Ok(Some(self.input.drain(..length).collect())) }
    }

    /// The next frame; `None` at the deadline. Sends keep-alives, and notices silence.
    fn read_frame(&mut self, deadline: Instant) -> Outcome<Option<Frame>> {
        let interval = Duration::from_millis(self.keep_alive.into());
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(Some(frame));
            }
            let time = Instant::now();
            if self.is_established && time >= self.last_sent + interval / 2 {
                self.write(&encode(&Sequence { next_seq_no: self.next }))?;
            }
            let due = if self.is_established { self.last_sent + interval / 2 } else { deadline };
            let wait = deadline.min(due).saturating_duration_since(time);
            let mut bytes = [0; 65_536];
            let read = match &mut self.stream {
                Some(stream) => stream
                    .socket()
                    .set_read_timeout(Some(wait.max(Duration::from_millis(1))))
                    .and_then(|_| stream.read(&mut bytes)),
                None => return lost("closed"),
            };
            match read {
                Ok(count) if count > 0 => {
                    self.input.extend_from_slice(&bytes[..count]);
                    self.last_received = Instant::now();
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                    let time = Instant::now();
                    if time > self.last_received + 2 * interval {
                        self.drop_connection();
                        return lost("silence");
                    }
                    if time >= deadline {
                        return Ok(None);
                    }
                }
                _ => {
                    self.drop_connection();
                    return lost("closed");
                }
            }
        }
    }

    /// Counts a frame; the message unless it is the session's own.
    fn deliver(&mut self, frame: &[u8]) -> Outcome<Option<Message>> {
        let number = report_number(frame);
        if number > 0 {
            if number < self.next_report {
                return Ok(None);
            }
            self.next_report = number + 1;
            if self.missing < self.end {
                self.missing = self.next_report.min(self.end);
                if self.missing == self.asked {
                    self.ask_again()?;
                }
            }
        }
        let found = message(frame)?;
        match &found {
            Some(Message::Terminate(end)) => {
                // The answer may not arrive any more.
                let _ = self.write(&encode(&Terminate { session_version: self.version, ..Default::default() }));
                self.drop_connection();
                return terminated(end);
            }
            // Too much at once: the next `resume` asks again.
            Some(Message::RetransmitReject(reject)) if matches!(reject.code, 1018 | 9007) => {
                self.drop_connection();
                return Err(Failure::Lost(format!("retransmission {}", reject.code), reject.code));
            }
            // The reports are not kept any more: go on without them.
            Some(Message::RetransmitReject(_)) => (self.missing, self.end) = (0, 0),
            Some(Message::Sequence(_) | Message::Retransmission(_) | Message::FinishedReceiving(_)) => return Ok(None),
            _ => {}
        }
        Ok(found)
    }
}
