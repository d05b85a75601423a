package joulebook;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Reads each golden vector of clients/vectors.txt, prints it and writes it again: both must be what the file says. Then
 * a book takes the frames of clients/book.txt.
 */
final class Vectors {
  private Vectors() {}

  public static void main(String[] arguments) throws Exception {
    int count = 0;
    for (String vector : Files.readString(Path.of(arguments[0])).split("\n\n")) {
      int end = vector.indexOf('\n');
      String[] head = vector.substring(0, end).split(" ");
      byte[] frame = HexFormat.of().parseHex(head[2]);
      Codec.Message message = Codec.decode(frame);
      check(message.name().equals(head[0]), head, "is read as " + message.name());
      check(message.toString().stripTrailing().equals(vector.substring(end + 1).stripTrailing()), head, message.toString());
      // Frames of other versions of the schema are read, not written.
      boolean isWritten = !head[1].equals("older") && !head[1].equals("newer");
      check(!isWritten || Arrays.equals(Codec.encode(message), frame), head, "another frame is written");
      for (int length = 0; length < frame.length; length++) {
        boolean isRead = true;
        try {
          Codec.decode(Arrays.copyOf(frame, length));
        } catch (Codec.Malformed fault) {
          isRead = false;
        }
        check(!isRead, head, "a frame of " + length + " bytes is read");
      }
      count++;
    }
    checkBook(Path.of(arguments[1]));
    System.out.println(count + " vectors");
  }

  /** After each frame, the book must be what the file says. */
  private static void checkBook(Path path) throws Exception {
    LevelBook book = new LevelBook(1);
    for (String line : Files.readAllLines(path)) {
      String[] parts = line.split(" ", 2);
      long missing = book.take(Codec.decode(HexFormat.of().parseHex(parts[0])));
      Messages.Level bid = book.best(1, Messages.Side.BUY);
      Messages.Level ask = book.best(1, Messages.Side.SELL);
      String found = "missing " + missing + " bid " + bid.live + " at " + bid.price + " ask " + ask.live + " at " + ask.price;
      check(found.equals(parts[1]), new String[] {"book", parts[1]}, found);
    }
    check(book.isComplete(), new String[] {"book", "the last"}, "is not complete");
  }

  private static void check(boolean isRight, String[] head, String fault) {
    if (isRight) return;
    System.out.println(head[0] + ", " + head[1] + ": " + fault);
    System.exit(1);
  }
}
