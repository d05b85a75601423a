// A session with the exchange on one connection, for one thread. `receive` does the session's own work:
// keep-alives, silence, missed reports.
#pragma once

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>

#include "codec.hpp"

namespace joulebook {

/// The exchange refused a log-on: `code` is one of docs/reject-codes.md.
struct Refused : std::runtime_error {
  uint16_t code;
  explicit Refused(uint16_t code) : std::runtime_error("refused " + std::to_string(code)), code(code) {}
};

/// The session or its connection ended: with a code when the exchange said why. `resume` takes it up again.
struct Lost : std::runtime_error {
  uint16_t code;
  explicit Lost(const std::string& why, uint16_t code = 0) : std::runtime_error("lost: " + why), code(code) {}
};

using Key = std::array<uint8_t, 32>;

/// The private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it. Throws if others
/// than the file's owner have access to it.
inline Key readKey(const std::string& path) {
  struct stat status;
  std::string digits;
  if (stat(path.c_str(), &status) != 0 || !(std::ifstream(path) >> digits)) throw std::runtime_error("no key in " + path);
  if (status.st_mode & 077) throw std::runtime_error("others have access to " + path + ": chmod 600");
  if (digits.size() != 64) throw std::runtime_error(path + " has no 64 hexadecimal digits");
  Key key;
  for (size_t i = 0; i < 32; i++) key[i] = uint8_t(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  return key;
}

/// Nanoseconds since 1970.
inline uint64_t now() {
  return uint64_t(std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

class Session {
 public:
  /// Milliseconds without sending after which either side sends Sequence; 1,000 to 60,000.
  uint32_t keepAlive = 5'000;
  /// When orders are cancelled after a loss, in ms; `nullCancelAfter`: they stand.
  uint32_t cancelAfter = 0;

  Session(std::string host, std::string port, uint32_t identity, const Key& key)
      : host_(std::move(host)), port_(std::move(port)), identity_(identity),
        key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()), EVP_PKEY_free) {}
  Session(const Session&) = delete;
  ~Session() { drop(); }

  /// Connects with TLS 1.3 from now on, and trusts the certificates in a file (PEM): a server's own one, or that of its
  /// authority. Ignores SIGPIPE in the whole program, which OpenSSL raises when the connection is gone.
  void trust(const std::string& path) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(context_.get(), path.c_str(), nullptr) != 1)
      throw std::runtime_error(path + " has no certificate");
    signal(SIGPIPE, SIG_IGN);
  }

  /// Connects and logs on with a new session version. Throws Refused, or Lost.
  void connect() {
    open();
    version_ = std::max(version_ + 1, now());
    Negotiate request;
    request.sessionId = identity_, request.sessionVersion = version_, request.timestamp = now();
    logOn<NegotiationResponse>(request, "JOULEBOOK-NEGOTIATE-2");
    establish(1);
    nextReport_ = 1, missing_ = end_ = 0;
  }

  /// Connects and takes up the session of a lost connection; returns the number of missed reports, which
  /// `receive` returns before anything newer. Throws Refused (1005, 1013: the exchange does not know the
  /// session's version, and nothing of it happened), or Lost.
  uint64_t resume() {
    open();
    uint64_t next = establish(0);
    missing_ = nextReport_, end_ = std::max(next, nextReport_);
    askAgain();
    return end_ - missing_;
  }

  /// Numbers and sends a message; returns its number. Throws Lost.
  template <class Body> uint64_t send(Body& message) {
    message.seqNo = next_++, message.sendingTime = now();
    write(encode(message));
    return message.seqNo;
  }

  /// The next message; none when none comes in time. Throws Lost.
  std::optional<Message> receive(int milliseconds) {
    auto deadline = clock() + milliseconds;
    for (;;) {
      if (missing_ == end_ && !held_.empty()) {
        auto frame = std::move(held_.front());
        held_.pop_front();
        if (auto message = deliver(frame)) return message;
        continue;
      }
      auto frame = readFrame(deadline);
      if (!frame) return {};
      uint64_t number = reportNumber(*frame);
      bool isMissed = number >= missing_ && number < end_ && number > 0;
      // What is newer waits until the missed reports have come.
      if (missing_ < end_ && !isMissed && !isOfSession(*frame)) held_.push_back(std::move(*frame));
      else if (auto message = deliver(*frame)) return message;
    }
  }

  /// Waits until each message that was sent has its answer and each report has come, and returns what came.
  std::vector<Message> finish(int milliseconds = 10'000) {
    FinishedSending sending;
    sending.sessionVersion = version_, sending.lastSeqNo = next_ - 1;
    write(encode(sending));
    std::vector<Message> left;
    for (std::optional<uint64_t> last; !last || nextReport_ <= *last;) {
      auto message = receive(milliseconds);
      if (!message) throw Lost("no end");
      if (auto finished = std::get_if<FinishedSending>(&*message)) last = finished->lastSeqNo;
      else left.push_back(*message);
    }
    FinishedReceiving receiving;
    receiving.sessionVersion = version_;
    write(encode(receiving));
    return left;
  }

  /// Ends the session in order.
  void close() {
    Terminate terminate;
    terminate.sessionVersion = version_;
    write(encode(terminate));
    drop();
  }

  /// Closes the connection without a Terminate, as if it were lost.
  void drop() {
    tls_.reset();
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1, isEstablished_ = false;
    input_.clear(), held_.clear();
  }

 private:
  std::string host_, port_;
  uint32_t identity_;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  int socket_ = -1;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
  bool isEstablished_ = false;
  std::vector<uint8_t> input_, challenge_;
  std::deque<std::vector<uint8_t>> held_;
  uint64_t version_ = 0, next_ = 1, nextReport_ = 1;
  /// Missed reports are those from `missing_` to before `end_`; they are asked for up to `asked_`.
  uint64_t missing_ = 0, end_ = 0, asked_ = 0;
  int64_t lastSent_ = 0, lastReceived_ = 0;

  static constexpr uint64_t mostAgain = 10'000;

  static int64_t clock() {
    auto time = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  }

  static uint16_t templateOf(const std::vector<uint8_t>& frame) { return uint16_t(little(&frame[6], 2)); }
  static bool isOfSession(const std::vector<uint8_t>& frame) { return templateOf(frame) < 20; }

  /// The number of a report; 0 for other messages.
  static uint64_t reportNumber(const std::vector<uint8_t>& frame) {
    uint16_t id = templateOf(frame);
    return id >= 40 && id <= 61 && frame.size() >= 20 ? little(&frame[headerLength], 8) : 0;
  }

  [[noreturn]] void lose(const std::string& why, uint16_t code = 0) {
    drop();
    throw Lost(why, code);
  }

  /// The message of a frame; a malformed one ends the connection.
  Message read(const std::vector<uint8_t>& frame) {
    try {
      return decode(frame);
    } catch (const Malformed& fault) {
      lose(fault.what());
    }
  }

  /// Connects, and waits for Challenge.
  void open() {
    drop();
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) throw Lost("no address");
    socket_ = socket(found->ai_family, SOCK_STREAM, 0);
    timeval patience{5, 0};
    int one = 1;
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int status = ::connect(socket_, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (status != 0) lose("no connection");
    if (context_) shakeHands();
    lastSent_ = lastReceived_ = clock();
    challenge_ = answer<Challenge>();
  }

  /// Waits until the connection is ready for what a call of TLS lacks; false: it has failed, or nothing came for 5 s.
  bool isReady(int result) {
    int error = SSL_get_error(tls_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    pollfd waiting{socket_, short(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    return poll(&waiting, 1, 5'000) > 0;
  }

  /// Begins TLS; the certificate must be trusted, and name the host.
  void shakeHands() {
    fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
    tls_.reset(SSL_new(context_.get()));
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host_.c_str()) != 1) {
      SSL_set1_host(tls_.get(), host_.c_str());
      SSL_set_tlsext_host_name(tls_.get(), host_.c_str());
    }
    SSL_set_fd(tls_.get(), socket_);
    ERR_clear_error();
    for (int result; (result = SSL_connect(tls_.get())) != 1;)
      if (!isReady(result)) {
        const char* reason = ERR_reason_error_string(ERR_peek_last_error());
        lose(std::string("no connection: ") + (reason ? reason : "the server does not speak TLS"));
      }
  }

  /// Sends all bytes; false: the connection is gone.
  bool sendAll(const std::vector<uint8_t>& frame) {
    if (!tls_) return ::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL) == ssize_t(frame.size());
    ERR_clear_error();
    for (int result; (result = SSL_write(tls_.get(), frame.data(), int(frame.size()))) <= 0;)
      if (!isReady(result)) return false;
    return true;
  }

  /// Reads what there is; 0: the end, below 0: nothing yet.
  ssize_t readSome(uint8_t* bytes, size_t size, int flags) {
    if (!tls_) return recv(socket_, bytes, size, flags);
    ERR_clear_error();
    int count = SSL_read(tls_.get(), bytes, int(size));
    if (count > 0) return count;
    return SSL_get_error(tls_.get(), count) == SSL_ERROR_WANT_READ ? -1 : 0;
  }

  /// The frame of the answer of one type; templates that this schema lacks are skipped. Throws Refused for a reject instead, Lost for a Terminate.
  template <class Body> std::vector<uint8_t> answer() {
    std::optional<std::vector<uint8_t>> frame;
    Message message;
    for (auto deadline = clock() + 5'000; message.index() == 0; message = read(*frame))
      if (frame = readFrame(deadline); !frame) lose("no answer");
    uint16_t code = 0;
    if (std::holds_alternative<Body>(message)) return *frame;
    if (auto reject = std::get_if<NegotiationReject>(&message)) code = reject->code;
    if (auto reject = std::get_if<EstablishmentReject>(&message)) code = reject->code;
    if (auto end = std::get_if<Terminate>(&message)) lose("terminated " + std::to_string(end->code), end->code);
    drop();
    throw Refused(code);
  }

  /// Signs tag, market id, nonce and the frame up to its signature, which is last.
  template <class Answer, class Body> std::vector<uint8_t> logOn(const Body& request, const std::string& tag) {
    auto frame = encode(request);
    std::vector<uint8_t> text(tag.begin(), tag.end());
    text.insert(text.end(), challenge_.begin() + 12, challenge_.begin() + 60);
    text.insert(text.end(), frame.begin() + 4, frame.end() - 64);
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    size_t length = 64;
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), &frame[frame.size() - 64], &length, text.data(), text.size()) != 1)
      throw std::runtime_error("the key does not sign");
    write(frame);
    return answer<Answer>();
  }

  /// Establishes the session; returns the number of the server's next report.
  uint64_t establish(uint64_t next) {
    Establish request;
    request.sessionId = identity_, request.sessionVersion = version_, request.timestamp = now();
    request.nextSeqNo = next, request.keepAliveInterval = keepAlive, request.cancelAfter = cancelAfter;
    auto ack = std::get<EstablishmentAck>(read(logOn<EstablishmentAck>(request, "JOULEBOOK-ESTABLISH-2")));
    next_ = ack.nextClientSeqNo, isEstablished_ = true;
    return ack.nextServerSeqNo;
  }

  void askAgain() {
    if (missing_ == end_) return;
    asked_ = std::min(end_, missing_ + mostAgain);
    RetransmitRequest request;
    request.sessionVersion = version_, request.timestamp = now();
    request.fromSeqNo = missing_, request.count = uint32_t(asked_ - missing_);
    write(encode(request));
  }

  void write(const std::vector<uint8_t>& frame) {
    lastSent_ = clock();
    if (sendAll(frame)) return;
    // What the server sent before it closed the connection may say why.
    uint8_t bytes[4096];
    for (ssize_t n; (n = readSome(bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) input_.insert(input_.end(), bytes, bytes + n);
    while (auto frame = takeFrame())
      if (auto end = templateOf(*frame) == Terminate::templateId ? read(*frame) : Message(); end.index() > 0)
        lose("terminated " + std::to_string(std::get<Terminate>(end).code), std::get<Terminate>(end).code);
    lose("closed");
  }

  /// A whole frame of what has been read.
  std::optional<std::vector<uint8_t>> takeFrame() {
    if (input_.size() < 4) return {};
    size_t length = little(&input_[0], 2);
    if (length < headerLength || little(&input_[2], 2) != encodingType) lose("no frame");
    if (input_.size() < length) return {};
    std::vector<uint8_t> frame(input_.begin(), input_.begin() + long(length));
    input_.erase(input_.begin(), input_.begin() + long(length));
    return frame;
  }

  /// The next frame; none at the deadline. Sends keep-alives, and notices silence.
  std::optional<std::vector<uint8_t>> readFrame(int64_t deadline) {
    for (;;) {
      if (socket_ < 0) throw Lost("closed");
      if (auto frame = takeFrame()) return frame;
      int64_t time = clock(), due = lastSent_ + keepAlive / 2;
      if (time >= due && isEstablished_) {
        Sequence sequence;
        sequence.nextSeqNo = next_;
        write(encode(sequence));
      }
      int64_t wait = std::min(deadline, isEstablished_ ? lastSent_ + keepAlive / 2 : deadline) - time;
      pollfd waiting{socket_, POLLIN, 0};
      bool isWaiting = tls_ && SSL_pending(tls_.get()) > 0;
      if (!isWaiting && poll(&waiting, 1, int(std::max<int64_t>(0, wait))) <= 0) {
        time = clock();
        if (time - lastReceived_ > 2 * int64_t(keepAlive)) lose("silence");
        if (time >= deadline) return {};
        continue;
      }
      uint8_t bytes[65536];
      ssize_t count = readSome(bytes, sizeof bytes, 0);
      if (tls_ && count < 0) continue;
      if (count <= 0) lose("closed");
      input_.insert(input_.end(), bytes, bytes + count);
      lastReceived_ = clock();
    }
  }

  /// Counts a frame; the message unless it is the session's own.
  std::optional<Message> deliver(const std::vector<uint8_t>& frame) {
    if (uint64_t number = reportNumber(frame)) {
      if (number < nextReport_) return {};
      nextReport_ = number + 1;
      if (missing_ < end_) {
        missing_ = std::min(nextReport_, end_);
        if (missing_ == asked_) askAgain();
      }
    }
    Message message = read(frame);
    if (auto end = std::get_if<Terminate>(&message)) {
      Terminate terminate;
      terminate.sessionVersion = version_;
      try {
        write(encode(terminate));
      } catch (const Lost&) {
      }
      lose("terminated " + std::to_string(end->code), end->code);
    }
    if (auto reject = std::get_if<RetransmitReject>(&message)) {
      // Too much at once: the next `resume` asks again.
      if (reject->code == 1018 || reject->code == 9007) lose("retransmission " + std::to_string(reject->code), reject->code);
      // The reports are not kept any more: go on without them.
      missing_ = end_ = 0;
    }
    uint16_t id = templateOf(frame);
    bool isOwn = id == Sequence::templateId || id == Retransmission::templateId || id == FinishedReceiving::templateId;
    if (isOwn || message.index() == 0) return {};
    return message;
  }
};

}  // namespace joulebook
