/* A bot in plain C, written only from docs/PROTOCOL.md and docs/protocol-reference.md.
 *
 *     cc -O2 -Wall -o first_order first_order.c -lcrypto
 *     first_order HOST PORT SESSION KEY_SEED_HEX ACCOUNT INSTRUMENT PRICE QUANTITY
 *
 * KEY_SEED_HEX is the Ed25519 private key (64 hexadecimal digits), PRICE is in 1e-5 currency per kWh and
 * QUANTITY in Wh.
 *
 * Logs on, enters a bid, drops the connection, resumes the session, requests the retransmission of the
 * bid's report, cancels the order, finishes the session and terminates it. The exit code is 0 only when
 * every step succeeded. */

#include "joulebook.h"

enum {
  RETRANSMIT_REQUEST = 9, RETRANSMISSION = 10, FINISHED_SENDING = 13, FINISHED_RECEIVING = 14,
  NEW_ORDER = 20, CANCEL = 23, ACCEPTED = 40, CANCELED = 42
};

int main(int count, char **argument) {
  if (count != 9) die("first_order HOST PORT SESSION KEY ACCOUNT INSTRUMENT PRICE QUANTITY");
  uint32_t account = (uint32_t)atoi(argument[5]);
  log_on(argument[1], argument[2], argument[3], argument[4]);

  begin_numbered(NEW_ORDER, 52);
  put(28, 8, now()); /* clientOrderId: must increase */
  put(36, 8, (uint64_t)atoll(argument[7]));
  put(44, 8, (uint64_t)atoll(argument[8]));
  put(52, 4, account);
  put(56, 4, (uint64_t)atoi(argument[6]));
  send_frame(); /* The fields that are left zero mean: buy, good till cancel, cancel the newer order, no flags. */
  expect(ACCEPTED);
  uint64_t report = get(12, 8), order = get(28, 8);
  printf("accepted: order %llu, report %llu\n", (unsigned long long)order,
         (unsigned long long)report);
  close(connection);

  open_connection(argument[1], argument[2]);
  uint64_t next_server = establish(0);
  printf("back: my next message is %llu, the next report %llu\n", (unsigned long long)session.next,
         (unsigned long long)next_server);
  if (session.next != 2 || next_server <= report) die("the server resumed with wrong sequence numbers");

  begin(RETRANSMIT_REQUEST, 28);
  put(12, 8, session.version);
  put(20, 8, now());
  put(28, 8, report);
  put(36, 4, 1);
  send_frame();
  expect(RETRANSMISSION);
  expect(ACCEPTED);
  if (get(12, 8) != report || get(28, 8) != order) die("the retransmitted report is not the requested one");

  begin_numbered(CANCEL, 36);
  put(28, 8, order);
  put(44, 4, account);
  send_frame();
  expect(CANCELED);
  if (get(28, 8) != order) die("another order was cancelled");
  uint64_t canceled = get(12, 8);

  begin(FINISHED_SENDING, 20);
  put(12, 8, session.version);
  put(20, 8, session.next - 1); /* sequence number of the cancel, our last message */
  send_frame();
  expect(FINISHED_RECEIVING);
  expect(FINISHED_SENDING);
  if (get(20, 8) < canceled) die("FinishedSending names a report before the last one received");
  printf("finished: the last report was %llu\n", (unsigned long long)get(20, 8));
  begin(FINISHED_RECEIVING, 12);
  put(12, 8, session.version);
  send_frame();
  log_off();
  puts("done");
  return 0;
}
