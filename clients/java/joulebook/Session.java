package joulebook;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import joulebook.Codec.Message;

/**
 * A session with the exchange on one connection, for one thread. `receive` does the session's own work: keep-alives,
 * silence, missed reports.
 */
public final class Session implements AutoCloseable {
  /** The exchange refused a log-on with a code of docs/reject-codes.md. */
  public static final class Refused extends Exception {
    public final int code;

    public Refused(int code) {
      super("refused " + code);
      this.code = code;
    }
  }

  /** The exchange ended the session with a code, or the connection was lost (0). `resume` takes it up again. */
  public static final class Lost extends Exception {
    public final int code;

    Lost(String why, int code) {
      super("lost: " + why);
      this.code = code;
    }
  }

  private static final int PATIENCE = 5_000;
  private static final long MOST_AGAIN = 10_000;

  /** Milliseconds without sending after which either side sends Sequence; 1,000 to 60,000. */
  public int keepAlive = PATIENCE;
  /** What a server with a certificate needs, as `Tls.trust` makes it; null: no TLS. */
  public SSLContext tls;
  /** When orders are cancelled after a loss, in ms; NULL_CANCEL_AFTER: they stand. */
  public long cancelAfter;

  private final String host;
  private final int port;
  private final long identity;
  private final PrivateKey key;
  private SocketChannel channel;
  private Selector selector;
  private Tls secure;
  private boolean isEstablished;
  private final ByteBuffer input = ByteBuffer.allocate(1 << 17);
  private byte[] challenge;
  private final Deque<byte[]> held = new ArrayDeque<>();
  private long version;
  private long next = 1;
  private long nextReport = 1;
  /** Missed reports are those from `missing` to before `end`; they are asked for up to `asked`. */
  private long missing;
  private long end;
  private long asked;
  private long lastSent;
  private long lastReceived;

  public Session(String host, int port, long identity, PrivateKey key) {
    this.host = host;
    this.port = port;
    this.identity = identity;
    this.key = key;
    input.flip();
  }

  /**
   * The private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it. Throws IOException if
   * others than the file's owner have access to it.
   */
  public static PrivateKey readKey(Path path) throws IOException, GeneralSecurityException {
    Set<PosixFilePermission> allowed = Set.of(
        PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);
    if (!allowed.containsAll(Files.getPosixFilePermissions(path)))
      throw new IOException("others have access to " + path + ": chmod 600");
    String digits = Files.readString(path).strip();
    if (!digits.matches("[0-9a-fA-F]{64}")) throw new IOException(path + " has no 64 hexadecimal digits");
    return KeyFactory.getInstance("Ed25519")
        .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, HexFormat.of().parseHex(digits)));
  }

  /** Nanoseconds since 1970. */
  public static long now() {
    Instant time = Instant.now();
    return time.getEpochSecond() * 1_000_000_000 + time.getNano();
  }

  /** Connects and logs on with a new session version. */
  public void connect() throws Refused, Lost {
    open();
    version = Math.max(version + 1, now());
    Messages.Negotiate request = new Messages.Negotiate();
    request.sessionId = identity;
    request.sessionVersion = version;
    request.timestamp = now();
    logOn(request, request.signature, "JOULEBOOK-NEGOTIATE-2", Messages.NegotiationResponse.class);
    establish(1);
    nextReport = 1;
    missing = end = 0;
  }

  /**
   * Connects and takes up the session of a lost connection; returns the number of missed reports, which `receive`
   * returns before anything newer. Refused with 1005 or 1013: the exchange does not know the session's version, and
   * nothing of it happened.
   */
  public long resume() throws Refused, Lost {
    open();
    end = Math.max(establish(0), nextReport);
    missing = nextReport;
    askAgain();
    return end - missing;
  }

  /** Numbers and sends a message; returns its number. */
  public long send(Codec.Request request) throws Lost {
    request.seqNo = next++;
    request.sendingTime = now();
    write(request);
    return request.seqNo;
  }

  /** The next message; null when none comes in time. */
  public Message receive(int milliseconds) throws Lost {
    long deadline = clock() + milliseconds;
    while (true) {
      byte[] frame = missing == end ? held.poll() : null;
      if (frame == null) {
        frame = readFrame(deadline);
        if (frame == null) return null;
        long number = reportNumber(frame);
        // What is newer waits until the missed reports have come.
        if (missing < end && !(missing <= number && number < end) && template(frame) >= 20) {
          held.add(frame);
          continue;
        }
      }
      Message message = deliver(frame);
      if (message != null) return message;
    }
  }

  /** Waits until each message that was sent has its answer and each report has come, and returns what came. */
  public List<Message> finish(int milliseconds) throws Lost {
    Messages.FinishedSending sending = new Messages.FinishedSending();
    sending.sessionVersion = version;
    sending.lastSeqNo = next - 1;
    write(sending);
    List<Message> left = new ArrayList<>();
    for (long last = Long.MAX_VALUE; nextReport <= last;) {
      Message message = receive(milliseconds);
      if (message == null) throw lost("no end");
      if (message instanceof Messages.FinishedSending finished) last = finished.lastSeqNo;
      else left.add(message);
    }
    Messages.FinishedReceiving receiving = new Messages.FinishedReceiving();
    receiving.sessionVersion = version;
    write(receiving);
    return left;
  }

  /** Ends the session in order. */
  @Override public void close() throws Lost {
    if (channel == null) return;
    Messages.Terminate terminate = new Messages.Terminate();
    terminate.sessionVersion = version;
    write(terminate);
    drop();
  }

  /** Closes the connection without a Terminate, as if it were lost. */
  public void drop() {
    try {
      if (selector != null) selector.close();
      if (channel != null) channel.close();
    } catch (IOException unimportant) {
      // The connection is given up in any case.
    }
    channel = null;
    selector = null;
    secure = null;
    isEstablished = false;
    input.clear().flip();
    held.clear();
  }

  private static long clock() { return System.nanoTime() / 1_000_000; }

  private Lost lost(String why) {
    drop();
    return new Lost(why, 0);
  }

  private Lost terminated(Messages.Terminate terminate) {
    drop();
    return new Lost("terminated " + terminate.code, terminate.code);
  }

  private static int template(byte[] frame) { return (int) Codec.little(frame, 6, 2); }

  /** The number of a report; 0 for other messages. */
  private static long reportNumber(byte[] frame) {
    int id = template(frame);
    return id >= 40 && id <= 61 && frame.length >= 20 ? Codec.little(frame, Codec.HEADER_LENGTH, 8) : 0;
  }

  /** Connects, and waits for Challenge. */
  private void open() throws Refused, Lost {
    drop();
    try {
      selector = Selector.open();
      channel = SocketChannel.open();
      channel.socket().connect(new InetSocketAddress(host, port), PATIENCE);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      if (tls != null) secure = new Tls(tls, channel, this::isReady, host, port, PATIENCE);
    } catch (IOException fault) {
      throw lost("no connection: " + fault.getMessage());
    }
    lastSent = lastReceived = clock();
    challenge = answer(Messages.Challenge.class);
  }

  /** The frame of the answer of one type; templates that this schema lacks are skipped. */
  private byte[] answer(Class<? extends Message> expected) throws Refused, Lost {
    Message message = null;
    for (long deadline = clock() + PATIENCE; message == null;) {
      byte[] frame = readFrame(deadline);
      if (frame == null) throw lost("no answer");
      message = decode(frame);
      if (expected.isInstance(message)) return frame;
    }
    if (message instanceof Messages.Terminate terminate) throw terminated(terminate);
    drop();
    if (message instanceof Messages.NegotiationReject reject) throw new Refused(reject.code);
    if (message instanceof Messages.EstablishmentReject reject) throw new Refused(reject.code);
    throw lost("another answer");
  }

  private Message decode(byte[] frame) throws Lost {
    try {
      return Codec.decode(frame);
    } catch (Codec.Malformed fault) {
      throw lost(fault.getMessage());
    }
  }

  /** Signs tag, market id, nonce and the frame up to its signature, which is last. */
  private byte[] logOn(Message request, byte[] signature, String tag, Class<? extends Message> expected)
      throws Refused, Lost {
    byte[] unsigned = Codec.encode(request);
    try {
      Signature signer = Signature.getInstance("Ed25519");
      signer.initSign(key);
      signer.update(tag.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      signer.update(challenge, 12, 48);
      signer.update(unsigned, 4, unsigned.length - 4 - signature.length);
      System.arraycopy(signer.sign(), 0, signature, 0, signature.length);
    } catch (GeneralSecurityException fault) {
      throw new IllegalStateException(fault);
    }
    write(request);
    return answer(expected);
  }

  /** Establishes the session; returns the number of the server's next report. */
  private long establish(long nextSeqNo) throws Refused, Lost {
    Messages.Establish request = new Messages.Establish();
    request.sessionId = identity;
    request.sessionVersion = version;
    request.timestamp = now();
    request.nextSeqNo = nextSeqNo;
    request.keepAliveInterval = keepAlive;
    request.cancelAfter = cancelAfter;
    byte[] frame = logOn(request, request.signature, "JOULEBOOK-ESTABLISH-2", Messages.EstablishmentAck.class);
    Messages.EstablishmentAck ack = (Messages.EstablishmentAck) decode(frame);
    next = ack.nextClientSeqNo;
    isEstablished = true;
    return ack.nextServerSeqNo;
  }

  private void askAgain() throws Lost {
    if (missing == end) return;
    asked = Math.min(end, missing + MOST_AGAIN);
    Messages.RetransmitRequest request = new Messages.RetransmitRequest();
    request.sessionVersion = version;
    request.timestamp = now();
    request.fromSeqNo = missing;
    request.count = asked - missing;
    write(request);
  }

  /** Waits until the connection can be read or written, at most for a time. */
  private boolean isReady(int operation, long milliseconds) throws IOException {
    channel.register(selector, operation);
    selector.selectedKeys().clear();
    return (milliseconds > 0 ? selector.select(milliseconds) : selector.selectNow()) > 0;
  }

  private void write(Message message) throws Lost {
    if (channel == null) throw lost("closed");
    lastSent = clock();
    ByteBuffer frame = ByteBuffer.wrap(Codec.encode(message));
    try {
      if (secure != null) secure.write(frame);
      while (frame.hasRemaining()) {
        if (channel.write(frame) == 0 && !isReady(SelectionKey.OP_WRITE, PATIENCE)) throw lost("the server does not read");
      }
    } catch (IOException fault) {
      throw whyClosed();
    }
  }

  /** What the server sent before it closed the connection may say why. */
  private Lost whyClosed() throws Lost {
    for (byte[] frame = readFrame(clock()); frame != null; frame = readFrame(clock()))
      if (decode(frame) instanceof Messages.Terminate terminate) return terminated(terminate);
    return lost("closed");
  }

  /** A whole frame of what has been read; null if there is none. */
  private byte[] takeFrame() throws Lost {
    if (input.remaining() < 4) return null;
    int length = (int) Codec.little(input.array(), input.position(), 2);
    if (length < Codec.HEADER_LENGTH || Codec.little(input.array(), input.position() + 2, 2) != Codec.ENCODING_TYPE)
      throw lost("no frame");
    if (input.remaining() < length) return null;
    byte[] frame = new byte[length];
    input.get(frame);
    return frame;
  }

  /** The next frame; null at the deadline. Sends keep-alives, and notices silence. */
  private byte[] readFrame(long deadline) throws Lost {
    while (true) {
      if (channel == null) throw lost("closed");
      byte[] frame = takeFrame();
      if (frame != null) return frame;
      long time = clock();
      if (isEstablished && time >= lastSent + keepAlive / 2) {
        Messages.Sequence sequence = new Messages.Sequence();
        sequence.nextSeqNo = next;
        write(sequence);
      }
      long until = isEstablished ? Math.min(deadline, lastSent + keepAlive / 2) : deadline;
      try {
        if (secure != null && secure.hasMore() || isReady(SelectionKey.OP_READ, until - time)) {
          input.compact();
          int count = secure != null ? secure.read(input) : channel.read(input);
          input.flip();
          if (count < 0) throw lost("closed");
          lastReceived = clock();
          continue;
        }
      } catch (IOException fault) {
        throw lost("closed");
      }
      time = clock();
      if (time - lastReceived > 2L * keepAlive) throw lost("silence");
      if (time >= deadline) return null;
    }
  }

  /** Counts a frame; the message unless it is the session's own. */
  private Message deliver(byte[] frame) throws Lost {
    long number = reportNumber(frame);
    if (number > 0) {
      if (number < nextReport) return null;
      nextReport = number + 1;
      if (missing < end) {
        missing = Math.min(nextReport, end);
        if (missing == asked) askAgain();
      }
    }
    Message message = decode(frame);
    if (message instanceof Messages.Terminate terminate) {
      Messages.Terminate answer = new Messages.Terminate();
      answer.sessionVersion = version;
      try {
        write(answer);
      } catch (Lost unimportant) {
        // The answer may not arrive any more.
      }
      throw terminated(terminate);
    }
    if (message instanceof Messages.RetransmitReject reject) {
      // Too much at once: the next `resume` asks again.
      if (reject.code == 1018 || reject.code == 9007) {
        drop();
        throw new Lost("retransmission " + reject.code, reject.code);
      }
      // The reports are not kept any more: go on without them.
      missing = end = 0;
    }
    boolean isOwn = message instanceof Messages.Sequence || message instanceof Messages.Retransmission
        || message instanceof Messages.FinishedReceiving;
    return isOwn ? null : message;
  }
}
