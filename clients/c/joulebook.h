/* A session in plain C, written only from docs/PROTOCOL.md and docs/protocol-reference.md: frames, signatures,
 * log-on and resumption. It has one connection and one frame buffer. Integers are little-endian. */

#ifndef JOULEBOOK_H
#define JOULEBOOK_H

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, SCHEMA = 16970, VERSION = 7, ENCODING = 0xEB50 };
enum { NEGOTIATE = 1, NEGOTIATION_RESPONSE = 2, ESTABLISH = 4, ESTABLISHMENT_ACK = 5, SEQUENCE = 7, TERMINATE = 12 };
enum { CHALLENGE = 15, CHALLENGE_LENGTH = 48 }; /* marketId and nonce */
enum { REJECTED = 44 };
enum { KEEP_ALIVE = 10000 };

/* Credentials and position of the session. */
static struct {
  EVP_PKEY *key;
  uint32_t identity;
  uint64_t version, next; /* next: sequence number of our next message */
} session;

static int connection;
static uint8_t frame[4096];
static uint8_t challenge[CHALLENGE_LENGTH]; /* the connection's */

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void put(size_t offset, int bytes, uint64_t value) {
  for (int i = 0; i < bytes; i++) frame[offset + i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(size_t offset, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)frame[offset + i] << (8 * i);
  return value;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The time of a log-on: the clock's, but above that of the one before. */
static uint64_t log_on_time(void) {
  static uint64_t last;
  uint64_t time = now();
  last = time > last ? time : last + 1;
  return last;
}

/* Begins a frame: writes the headers and a block of zeros. */
static void begin(uint16_t template, uint16_t block) {
  memset(frame, 0, sizeof frame);
  put(0, 2, HEADER + block);
  put(2, 2, ENCODING);
  put(4, 2, block);
  put(6, 2, template);
  put(8, 2, SCHEMA);
  put(10, 2, VERSION);
}

/* Begins a sequenced message: writes seqNo and sendingTime too. */
static void begin_numbered(uint16_t template, uint16_t block) {
  begin(template, block);
  put(12, 8, session.next++);
  put(20, 8, now());
}

static void send_frame(void) {
  size_t length = get(0, 2);
  if (send(connection, frame, length, MSG_NOSIGNAL) != (ssize_t)length) die("cannot send");
}

/* Receives a frame and returns its template id; 0 when the connection is closed. Sends keep-alives while it
 * waits. */
static uint16_t receive(void) {
  struct pollfd waiting = {.fd = connection, .events = POLLIN};
  while (poll(&waiting, 1, KEEP_ALIVE / 2) == 0) {
    begin(SEQUENCE, 12);
    put(12, 8, session.next);
    send_frame();
  }
  if (recv(connection, frame, 4, MSG_WAITALL) != 4) return 0;
  size_t rest = get(0, 2) - 4;
  if (rest > sizeof frame - 4 || get(2, 2) != ENCODING) die("not a frame");
  if (recv(connection, frame + 4, rest, MSG_WAITALL) != (ssize_t)rest) return 0;
  return (uint16_t)get(6, 2);
}

/* Receives a frame and returns its template id. Exits on a reject, a Terminate and a closed connection. */
static uint16_t next_frame(void) {
  uint16_t found = receive();
  if (found == 0) die("the server closed the connection");
  if (found == TERMINATE) {
    fprintf(stderr, "terminated with code %u, limit %lld\n", (unsigned)get(28, 2), (long long)get(20, 8));
    exit(1);
  }
  if (found == REJECTED) {
    fprintf(stderr, "rejected with code %u, limit %lld\n", (unsigned)get(68, 2), (long long)get(36, 8));
    exit(1);
  }
  return found;
}

/* Receives frames until one has this template; the others are ignored. */
static void expect(uint16_t template) {
  while (next_frame() != template) {}
}

/* Signs the tag, the connection's challenge and the frame's bytes 4 to at - 1, and writes the signature at offset `at`. */
static void sign(const char *tag, size_t at) {
  uint8_t message[256];
  size_t length = strlen(tag), size = 64;
  memcpy(message, tag, length);
  memcpy(message + length, challenge, sizeof challenge);
  length += sizeof challenge;
  memcpy(message + length, frame + 4, at - 4);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (EVP_DigestSignInit(context, NULL, NULL, NULL, session.key) != 1 ||
      EVP_DigestSign(context, frame + at, &size, message, length + at - 4) != 1)
    die("cannot sign");
  EVP_MD_CTX_free(context);
}

/* Connects, and waits for the server's challenge. */
static void open_connection(const char *host, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, host, &address.sin_addr);
  connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) die("cannot connect");
  expect(CHALLENGE);
  memcpy(challenge, frame + HEADER, sizeof challenge);
}

/* Establishes the session; `next` is the sequence number of our next message, or 0 to resume the session.
 * Orders outlive the connection by 5 s. Returns the number of the server's next report. */
static uint64_t establish(uint64_t next) {
  begin(ESTABLISH, 100);
  put(12, 4, session.identity);
  put(16, 8, session.version);
  put(24, 8, log_on_time());
  put(32, 8, next);
  put(40, 4, KEEP_ALIVE);
  put(44, 4, 5000);
  sign("JOULEBOOK-ESTABLISH-2", 48);
  send_frame();
  expect(ESTABLISHMENT_ACK);
  session.next = get(32, 8);
  return get(40, 8);
}

/* Connects, negotiates a new session version and establishes it. */
static void log_on(const char *host, const char *port, const char *identity, const char *seed_hex) {
  uint8_t seed[32];
  for (int i = 0; i < 32; i++) {
    unsigned byte;
    if (sscanf(seed_hex + 2 * i, "%2x", &byte) != 1) die("the key must have 64 hexadecimal digits");
    seed[i] = (uint8_t)byte;
  }
  session.key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
  session.identity = (uint32_t)atoi(identity);
  session.version = now();
  open_connection(host, port);
  begin(NEGOTIATE, 84);
  put(12, 4, session.identity);
  put(16, 8, session.version);
  put(24, 8, log_on_time());
  sign("JOULEBOOK-NEGOTIATE-2", 32);
  send_frame();
  expect(NEGOTIATION_RESPONSE);
  establish(1);
}

/* Terminates the session and waits for the answer. */
static void log_off(void) {
  begin(TERMINATE, 20);
  put(12, 8, session.version);
  send_frame();
  while (receive() != TERMINATE) {}
  EVP_PKEY_free(session.key);
}

#endif
