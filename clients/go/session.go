package joulebook

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Refused: the exchange refused a log-on with a code of docs/reject-codes.md.
type Refused struct{ Code uint16 }

func (r *Refused) Error() string { return fmt.Sprintf("refused %d", r.Code) }

// Lost: the exchange ended the session with a code, or the connection was lost (0). Resume takes it up again.
type Lost struct {
	Why  string
	Code uint16
}

func (l *Lost) Error() string { return "lost: " + l.Why }

func terminated(end *Terminate) *Lost { return &Lost{fmt.Sprintf("terminated %d", end.Code), end.Code} }

// ReadKey returns the private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it; an error
// if others than the file's owner have access to it.
func ReadKey(path string) (ed25519.PrivateKey, error) {
	status, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if status.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others have access to %s: chmod 600", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s has no 64 hexadecimal digits", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Trust returns a configuration of TLS 1.3 that trusts the certificates in a file (PEM): a server's own one, or that of
// its authority. An empty path: those that the system trusts.
func Trust(path string) (*tls.Config, error) {
	if path == "" {
		return &tls.Config{MinVersion: tls.VersionTLS13}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate", path)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: trusted}, nil
}

// Now returns the nanoseconds since 1970.
func Now() uint64 { return uint64(time.Now().UnixNano()) }

const (
	mostAgain = 10_000
	patience  = 5 * time.Second
)

// Session is a session with the exchange on one connection, for one goroutine. Receive does the session's own work:
// keep-alives, silence, missed reports.
type Session struct {
	// KeepAlive is how long either side sends nothing before it sends Sequence; 1 to 60 s.
	KeepAlive time.Duration
	// TLS is what a server with a certificate needs, as Trust makes it; nil: no TLS.
	TLS *tls.Config
	// CancelAfter is when orders are cancelled after a loss, in ms; NullCancelAfter: they stand.
	CancelAfter uint32

	address          string
	identity         uint32
	key              ed25519.PrivateKey
	connection       net.Conn
	isEstablished    bool
	input, challenge []byte
	held             [][]byte
	version, next    uint64
	nextReport       uint64
	// Missed reports are those from missing to before end; they are asked for up to asked.
	missing, end, asked    uint64
	lastSent, lastReceived time.Time
}

// NewSession returns a session at host:port that is not connected yet.
func NewSession(address string, identity uint32, key ed25519.PrivateKey) *Session {
	return &Session{KeepAlive: patience, address: address, identity: identity, key: key, nextReport: 1}
}

// Connect connects and logs on with a new session version. Errors: *Refused, *Lost.
func (s *Session) Connect() error {
	if err := s.open(); err != nil {
		return err
	}
	s.version++
	if now := Now(); now > s.version {
		s.version = now
	}
	request := MakeNegotiate()
	request.SessionId, request.SessionVersion, request.Timestamp = s.identity, s.version, Now()
	if _, err := s.logOn(request, "JOULEBOOK-NEGOTIATE-2", (&NegotiationResponse{}).Template()); err != nil {
		return err
	}
	_, err := s.establish(1)
	s.nextReport, s.missing, s.end = 1, 0, 0
	return err
}

// Resume connects and takes up the session of a lost connection; it returns the number of missed reports, which
// Receive returns before anything newer. Refused with 1005 or 1013: the exchange does not know the session's version,
// and nothing of it happened.
func (s *Session) Resume() (missed uint64, err error) {
	if err := s.open(); err != nil {
		return 0, err
	}
	next, err := s.establish(0)
	if err != nil {
		return 0, err
	}
	s.missing, s.end = s.nextReport, s.nextReport
	if next > s.end {
		s.end = next
	}
	return s.end - s.missing, s.askAgain()
}

// Send numbers and sends a message; it returns its number.
func (s *Session) Send(request Request) (seqNo uint64, err error) {
	seqNo = s.next
	s.next++
	request.number(seqNo, Now())
	return seqNo, s.write(Encode(request))
}

// Receive returns the next message; nil when none comes in time.
func (s *Session) Receive(wait time.Duration) (Message, error) {
	deadline := time.Now().Add(wait)
	for {
		var frame []byte
		if s.missing == s.end && len(s.held) > 0 {
			frame, s.held = s.held[0], s.held[1:]
		} else {
			var err error
			if frame, err = s.readFrame(deadline); frame == nil {
				return nil, err
			}
			number := reportNumber(frame)
			// What is newer waits until the missed reports have come.
			if isMissed := s.missing <= number && number < s.end; s.missing < s.end && !isMissed && template(frame) >= 20 {
				s.held = append(s.held, frame)
				continue
			}
		}
		if message, err := s.deliver(frame); message != nil || err != nil {
			return message, err
		}
	}
}

// Finish waits until each message that was sent has its answer and each report has come, and returns what came.
func (s *Session) Finish(wait time.Duration) (left []Message, err error) {
	if err := s.write(Encode(&FinishedSending{SessionVersion: s.version, LastSeqNo: s.next - 1})); err != nil {
		return nil, err
	}
	for last := ^uint64(0); s.nextReport <= last; {
		message, err := s.Receive(wait)
		if err != nil {
			return left, err
		}
		switch m := message.(type) {
		case nil:
			return left, s.lose("no end")
		case *FinishedSending:
			last = m.LastSeqNo
		default:
			left = append(left, m)
		}
	}
	return left, s.write(Encode(&FinishedReceiving{SessionVersion: s.version}))
}

// Close ends the session in order.
func (s *Session) Close() error {
	err := s.write(Encode(&Terminate{SessionVersion: s.version}))
	s.Drop()
	return err
}

// Drop closes the connection without a Terminate, as if it were lost.
func (s *Session) Drop() {
	if s.connection != nil {
		s.connection.Close()
	}
	s.connection, s.isEstablished, s.input, s.held = nil, false, nil, nil
}

func (s *Session) lose(why string) error {
	s.Drop()
	return &Lost{Why: why}
}

func template(frame []byte) uint16 { return binary.LittleEndian.Uint16(frame[6:]) }

// reportNumber returns the number of a report; 0 for other messages.
func reportNumber(frame []byte) uint64 {
	if id := template(frame); id < 40 || id > 61 || len(frame) < 20 {
		return 0
	}
	return binary.LittleEndian.Uint64(frame[headerLength:])
}

// open connects, and waits for Challenge.
func (s *Session) open() (err error) {
	s.Drop()
	dialer := &net.Dialer{Timeout: patience}
	if s.TLS == nil {
		s.connection, err = dialer.Dial("tcp", s.address)
	} else if secure, fault := tls.DialWithDialer(dialer, "tcp", s.address, s.TLS); fault == nil {
		s.connection = secure
	} else {
		err = fault
	}
	if err != nil {
		s.connection = nil
		return s.lose("no connection: " + err.Error())
	}
	s.lastSent, s.lastReceived = time.Now(), time.Now()
	s.challenge, err = s.answer((&Challenge{}).Template())
	return err
}

// answer returns the frame of the answer of one template; those that this schema lacks are skipped.
func (s *Session) answer(expected uint16) ([]byte, error) {
	var message Message
	for deadline := time.Now().Add(patience); message == nil; {
		frame, err := s.readFrame(deadline)
		if err != nil {
			return nil, err
		}
		if frame == nil {
			return nil, s.lose("no answer")
		}
		if template(frame) == expected {
			return frame, nil
		}
		if message, err = Decode(frame); err != nil {
			return nil, s.lose(err.Error())
		}
	}
	s.Drop()
	switch m := message.(type) {
	case *NegotiationReject:
		return nil, &Refused{m.Code}
	case *EstablishmentReject:
		return nil, &Refused{m.Code}
	case *Terminate:
		return nil, terminated(m)
	}
	return nil, s.lose("another answer")
}

// logOn signs tag, market id, nonce and the frame up to its signature, which is last.
func (s *Session) logOn(request Message, tag string, expected uint16) ([]byte, error) {
	frame := Encode(request)
	at := len(frame) - ed25519.SignatureSize
	text := append([]byte(tag), s.challenge[12:60]...)
	copy(frame[at:], ed25519.Sign(s.key, append(text, frame[4:at]...)))
	if err := s.write(frame); err != nil {
		return nil, err
	}
	return s.answer(expected)
}

// establish establishes the session; it returns the number of the server's next report.
func (s *Session) establish(next uint64) (nextReport uint64, err error) {
	request := MakeEstablish()
	request.SessionId, request.SessionVersion, request.Timestamp = s.identity, s.version, Now()
	request.NextSeqNo, request.CancelAfter = next, s.CancelAfter
	request.KeepAliveInterval = uint32(s.KeepAlive.Milliseconds())
	frame, err := s.logOn(request, "JOULEBOOK-ESTABLISH-2", (&EstablishmentAck{}).Template())
	if err != nil {
		return 0, err
	}
	message, err := Decode(frame)
	if err != nil {
		return 0, s.lose(err.Error())
	}
	ack := message.(*EstablishmentAck)
	s.next, s.isEstablished = ack.NextClientSeqNo, true
	return ack.NextServerSeqNo, nil
}

func (s *Session) askAgain() error {
	if s.missing == s.end {
		return nil
	}
	if s.asked = s.end; s.end-s.missing > mostAgain {
		s.asked = s.missing + mostAgain
	}
	return s.write(Encode(&RetransmitRequest{
		SessionVersion: s.version, Timestamp: Now(), FromSeqNo: s.missing, Count: uint32(s.asked - s.missing)}))
}

func (s *Session) write(frame []byte) error {
	if s.connection == nil {
		return &Lost{Why: "closed"}
	}
	s.lastSent = time.Now()
	// Neither a deadline of an open connection nor a write can fail in another way that matters.
	s.connection.SetWriteDeadline(s.lastSent.Add(patience))
	if _, err := s.connection.Write(frame); err == nil {
		return nil
	}
	// What the server sent before it closed the connection may say why.
	for {
		frame, _ := s.readFrame(time.Now())
		if frame == nil {
			return s.lose("closed")
		}
		if message, _ := Decode(frame); message != nil {
			if end, ok := message.(*Terminate); ok {
				s.Drop()
				return terminated(end)
			}
		}
	}
}

// readFrame returns the next frame; nil at the deadline. It sends keep-alives, and notices silence.
func (s *Session) readFrame(deadline time.Time) ([]byte, error) {
	bytes := make([]byte, 65_536)
	for {
		if s.connection == nil {
			return nil, &Lost{Why: "closed"}
		}
		if len(s.input) >= 4 {
			length := int(binary.LittleEndian.Uint16(s.input))
			if length < headerLength || binary.LittleEndian.Uint16(s.input[2:]) != encodingType {
				return nil, s.lose("no frame")
			}
			if len(s.input) >= length {
				frame := s.input[:length:length]
				s.input = s.input[length:]
				return frame, nil
			}
		}
		now := time.Now()
		if s.isEstablished && now.Sub(s.lastSent) >= s.KeepAlive/2 {
			if err := s.write(Encode(&Sequence{NextSeqNo: s.next})); err != nil {
				return nil, err
			}
		}
		until := s.lastSent.Add(s.KeepAlive / 2)
		if !s.isEstablished || deadline.Before(until) {
			until = deadline
		}
		if soon := now.Add(time.Millisecond); until.Before(soon) {
			until = soon
		}
		s.connection.SetReadDeadline(until)
		count, err := s.connection.Read(bytes)
		if count > 0 {
			s.input = append(s.input, bytes[:count]...)
			s.lastReceived = time.Now()
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, s.lose("closed")
		} else if now = time.Now(); now.Sub(s.lastReceived) > 2*s.KeepAlive {
			return nil, s.lose("silence")
		} else if !now.Before(deadline) {
			return nil, nil
		}
	}
}

// deliver counts a frame; it returns the message unless it is the session's own.
func (s *Session) deliver(frame []byte) (Message, error) {
	if number := reportNumber(frame); number > 0 {
		if number < s.nextReport {
			return nil, nil
		}
		s.nextReport = number + 1
		if s.missing < s.end {
			if s.missing = s.nextReport; s.missing > s.end {
				s.missing = s.end
			}
			if s.missing == s.asked {
				if err := s.askAgain(); err != nil {
					return nil, err
				}
			}
		}
	}
	message, err := Decode(frame)
	if err != nil {
		return nil, s.lose(err.Error())
	}
	switch m := message.(type) {
	case *Terminate:
		// The answer may not arrive any more.
		_ = s.write(Encode(&Terminate{SessionVersion: s.version}))
		s.Drop()
		return nil, terminated(m)
	case *RetransmitReject:
		// Too much at once: the next Resume asks again.
		if m.Code == 1018 || m.Code == 9007 {
			s.Drop()
			return nil, &Lost{fmt.Sprintf("retransmission %d", m.Code), m.Code}
		}
		// The reports are not kept any more: go on without them.
		s.missing, s.end = 0, 0
	case *Sequence, *Retransmission, *FinishedReceiving:
		return nil, nil
	}
	return message, nil
}
