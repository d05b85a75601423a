/* A bot in plain C, written from docs/PROTOCOL.md and docs/protocol-reference.md alone.
 *
 *     cc -O2 -Wall -o first_order first_order.c -lcrypto
 *     first_order HOST PORT SESSION KEY_SEED_HEX ACCOUNT INSTRUMENT PRICE QUANTITY
 *
 * Logs on, enters a bid, drops the connection, comes back to the session, asks for the report that it
 * has thrown away, cancels the order, makes sure that nothing is on its way, and says goodbye. Exits 0 only when all of it happened. */

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, SCHEMA = 16970, VERSION = 2, ENCODING = 0xEB50 };
enum {
  NEGOTIATE = 1, NEGOTIATION_RESPONSE = 2, ESTABLISH = 4, ESTABLISHMENT_ACK = 5, SEQUENCE = 7,
  RETRANSMIT_REQUEST = 9, RETRANSMISSION = 10, TERMINATE = 12, FINISHED_SENDING = 13, FINISHED_RECEIVING = 14, NEW_ORDER = 20, CANCEL = 23,
  ACCEPTED = 40, CANCELED = 42, REJECTED = 44
};

static int connection;
static uint8_t frame[4096];

static void die(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

/* Little-endian numbers at an offset of the frame. */
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

/* Frames: headers, then the block. */
static void begin(uint16_t template, uint16_t block) {
  memset(frame, 0, sizeof frame);
  put(0, 2, HEADER + block);
  put(2, 2, ENCODING);
  put(4, 2, block);
  put(6, 2, template);
  put(8, 2, SCHEMA);
  put(10, 2, VERSION);
}

static void send_frame(void) {
  size_t length = get(0, 2);
  if (send(connection, frame, length, MSG_NOSIGNAL) != (ssize_t)length) die("cannot send");
}

/* The next frame's template; 0 when the connection is closed. */
static uint16_t receive(void) {
  if (recv(connection, frame, 4, MSG_WAITALL) != 4) return 0;
  size_t rest = get(0, 2) - 4;
  if (rest > sizeof frame - 4 || get(2, 2) != ENCODING) die("not a frame");
  if (recv(connection, frame + 4, rest, MSG_WAITALL) != (ssize_t)rest) return 0;
  return (uint16_t)get(6, 2);
}

/* Waits for a template; keep-alives and whatever else comes before it are passed over. */
static void expect(uint16_t template) {
  for (;;) {
    uint16_t found = receive();
    if (found == template) return;
    if (found == 0) die("the server closed");
    if (found == TERMINATE) {
      fprintf(stderr, "terminated with code %u, limit %lld\n", (unsigned)get(28, 2),
              (long long)get(20, 8));
      exit(1);
    }
    if (found == REJECTED) {
      fprintf(stderr, "rejected with code %u, limit %lld\n", (unsigned)get(68, 2),
              (long long)get(36, 8));
      exit(1);
    }
  }
}

/* Signs tag and frame bytes 4 ... at - 1, and writes the signature at `at`. */
static void sign(EVP_PKEY *key, const char *tag, size_t at) {
  uint8_t message[256];
  size_t length = strlen(tag), size = 64;
  memcpy(message, tag, length);
  memcpy(message + length, frame + 4, at - 4);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
      EVP_DigestSign(context, frame + at, &size, message, length + at - 4) != 1)
    die("cannot sign");
  EVP_MD_CTX_free(context);
}

static void open_connection(const char *host, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, host, &address.sin_addr);
  connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) die("cannot connect");
}

/* Establish; a next number of 0 comes back to a session. Orders outlive the connection by 5 s. */
static void establish(EVP_PKEY *key, uint32_t session, uint64_t version, uint64_t next) {
  begin(ESTABLISH, 100);
  put(12, 4, session);
  put(16, 8, version);
  put(24, 8, now());
  put(32, 8, next);
  put(40, 4, 10000);
  put(44, 4, 5000);
  sign(key, "JOULEBOOK-ESTABLISH-1", 48);
  send_frame();
  expect(ESTABLISHMENT_ACK);
}

int main(int count, char **argument) {
  if (count != 9) die("first_order HOST PORT SESSION KEY ACCOUNT INSTRUMENT PRICE QUANTITY");
  uint8_t seed[32];
  for (int i = 0; i < 32; i++) {
    unsigned byte;
    if (sscanf(argument[4] + 2 * i, "%2x", &byte) != 1) die("the key has 64 hexadecimal digits");
    seed[i] = (uint8_t)byte;
  }
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
  uint32_t session = (uint32_t)atoi(argument[3]), account = (uint32_t)atoi(argument[5]);
  uint64_t version = now();

  open_connection(argument[1], argument[2]);
  begin(NEGOTIATE, 84);
  put(12, 4, session);
  put(16, 8, version);
  put(24, 8, now());
  sign(key, "JOULEBOOK-NEGOTIATE-1", 32);
  send_frame();
  expect(NEGOTIATION_RESPONSE);
  establish(key, session, version, 1);

  begin(NEW_ORDER, 52);
  put(12, 8, 1);
  put(20, 8, now());
  put(28, 8, now()); /* clientOrderId: rises */
  put(36, 8, (uint64_t)atoll(argument[7]));
  put(44, 8, (uint64_t)atoll(argument[8]));
  put(52, 4, account);
  put(56, 4, (uint64_t)atoi(argument[6]));
  send_frame(); /* side, time in force, self-trade prevention, flags: buy, good till cancel, ... */
  expect(ACCEPTED);
  uint64_t report = get(12, 8), order = get(28, 8);
  printf("accepted: order %llu, report %llu\n", (unsigned long long)order,
         (unsigned long long)report);
  close(connection);

  open_connection(argument[1], argument[2]);
  establish(key, session, version, 0);
  uint64_t next_client = get(32, 8), next_server = get(40, 8);
  printf("back: my next message is %llu, the next report %llu\n", (unsigned long long)next_client,
         (unsigned long long)next_server);
  if (next_client != 2 || next_server <= report) die("the server has forgotten something");

  begin(RETRANSMIT_REQUEST, 28);
  put(12, 8, version);
  put(20, 8, now());
  put(28, 8, report);
  put(36, 4, 1);
  send_frame();
  expect(RETRANSMISSION);
  expect(ACCEPTED);
  if (get(12, 8) != report || get(28, 8) != order) die("another report came again");

  begin(CANCEL, 36);
  put(12, 8, next_client);
  put(20, 8, now());
  put(28, 8, order);
  put(44, 4, account);
  send_frame();
  expect(CANCELED);
  if (get(28, 8) != order) die("another order was cancelled");
  uint64_t canceled = get(12, 8);

  begin(FINISHED_SENDING, 20);
  put(12, 8, version);
  put(20, 8, next_client); /* my last message: the cancel */
  send_frame();
  expect(FINISHED_RECEIVING);
  expect(FINISHED_SENDING);
  if (get(20, 8) < canceled) die("the last report is older than one that came");
  printf("finished: the last report was %llu\n", (unsigned long long)get(20, 8));
  begin(FINISHED_RECEIVING, 12);
  put(12, 8, version);
  send_frame();

  begin(TERMINATE, 20);
  put(12, 8, version);
  send_frame();
  while (receive() != TERMINATE) {}
  puts("done");
  EVP_PKEY_free(key);
  return 0;
}
