package joulebook;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/** TLS 1.3 on a connection that does not block. */
public final class Tls {
  /** Waits until a connection can be read or written, at most for some milliseconds. */
  interface Waiter {
    boolean isReady(int operation, long milliseconds) throws IOException;
  }

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SocketChannel channel;
  private final Waiter waiter;
  private final SSLEngine engine;
  /** Bytes of the network that have not been opened. */
  private final ByteBuffer sealed;
  private final ByteBuffer outgoing;
  private boolean needsMore = true;

  /** A context that trusts the certificates in a file (PEM): a server's own one, or that of its authority. */
  public static SSLContext trust(Path path) throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream text = Files.newInputStream(path)) {
      int number = 0;
      for (Certificate found : CertificateFactory.getInstance("X.509").generateCertificates(text))
        trusted.setCertificateEntry("trusted " + number++, found);
    }
    TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  /** Shakes hands; the certificate must be trusted, and name the host. */
  Tls(SSLContext context, SocketChannel channel, Waiter waiter, String host, int port, long patience)
      throws IOException {
    this.channel = channel;
    this.waiter = waiter;
    engine = context.createSSLEngine(host, port);
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    parameters.setProtocols(new String[] {"TLSv1.3"});
    engine.setSSLParameters(parameters);
    sealed = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize());
    outgoing = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize());
    shakeHands(System.nanoTime() + patience * 1_000_000);
  }

  private void shakeHands(long deadline) throws IOException {
    ByteBuffer none = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    engine.beginHandshake();
    while (true) {
      HandshakeStatus status = engine.getHandshakeStatus();
      if (status == HandshakeStatus.NEED_TASK) runTasks();
      else if (status == HandshakeStatus.NEED_WRAP) write(NOTHING);
      else if (status == HandshakeStatus.NEED_UNWRAP) {
        if (needsMore && !waiter.isReady(SelectionKey.OP_READ, (deadline - System.nanoTime()) / 1_000_000))
          throw new SSLException("no answer");
        if (needsMore && channel.read(sealed) < 0) throw new SSLException("closed");
        open(none);
      } else return;
    }
  }

  private void runTasks() {
    for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) task.run();
  }

  private SSLEngineResult open(ByteBuffer input) throws SSLException {
    sealed.flip();
    try {
      SSLEngineResult result = engine.unwrap(sealed, input);
      needsMore = result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW;
      return result;
    } finally {
      sealed.compact();
    }
  }

  /** Whether there are bytes that have been received and not been read, so that the network need not be waited for. */
  boolean hasMore() { return !needsMore && sealed.position() > 0; }

  /** As SocketChannel.read: the number of bytes that came; 0: none yet; -1: the end. */
  int read(ByteBuffer input) throws IOException {
    int before = input.position();
    while (true) {
      SSLEngineResult result = open(input);
      if (result.getStatus() == SSLEngineResult.Status.CLOSED) return -1;
      HandshakeStatus status = engine.getHandshakeStatus();
      if (status == HandshakeStatus.NEED_TASK) runTasks();
      else if (status == HandshakeStatus.NEED_WRAP) write(NOTHING);
      boolean isFull = result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW;
      if (isFull) return input.position() - before;
      if (!needsMore) continue;
      int count = channel.read(sealed);
      if (count < 0) return input.position() > before ? input.position() - before : -1;
      if (count == 0) return input.position() - before;
    }
  }

  /** Writes all of `frame`. */
  void write(ByteBuffer frame) throws IOException {
    do {
      outgoing.clear();
      engine.wrap(frame, outgoing);
      outgoing.flip();
      while (outgoing.hasRemaining())
        if (channel.write(outgoing) == 0 && !waiter.isReady(SelectionKey.OP_WRITE, 5_000))
          throw new IOException("the server does not read");
    } while (frame.hasRemaining());
  }
}
