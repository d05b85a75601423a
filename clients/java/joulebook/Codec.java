package joulebook;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Frames: u16 length | u16 0xEB50 | SBE header (8) | block | group. Three visitors of messages: one writes a frame, one
 * reads it, one prints it.
 */
public final class Codec {
  static final int HEADER_LENGTH = 12;
  static final int ENCODING_TYPE = 0xEB50;

  private Codec() {}

  /** A frame that ends before what it says it contains, or that is none of this protocol. */
  public static final class Malformed extends RuntimeException {
    Malformed(String why) { super(why); }
  }

  /** What has fields. */
  public interface Visited {
    /** Gives each field to the visitor, and takes the value that it returns. */
    void visit(Visitor v);
  }

  /** Any message. */
  public abstract static class Message implements Visited {
    public abstract String name();

    public abstract int template();

    public abstract int blockLength();

    /** The fields, one a line. */
    @Override public String toString() {
      Printer printer = new Printer();
      visit(printer);
      return printer.text.toString();
    }
  }

  /** A message that the session numbers. */
  public abstract static class Request extends Message {
    long seqNo;
    long sendingTime;
  }

  /** What is done with each field: it gets the value, and returns the field's new value. */
  public interface Visitor {
    long number(String name, int offset, int size, long value);

    long nullable(String name, int offset, int size, long value, long nothing);

    long integer(String name, int offset, int size, long value);

    String text(String name, int offset, int length, String value);

    void bytes(String name, int offset, byte[] value);

    int choice(String name, int offset, int value, String[] names);

    int flags(String name, int offset, int value, String[] names);

    /** Begins a group, and returns its number of entries. */
    int group(String name, int entryLength, int count);

    /** Begins an entry. */
    void entry(int index);
  }

  static <E extends Visited> void group(
      Visitor v, String name, int entryLength, List<E> entries, Supplier<E> make) {
    int count = v.group(name, entryLength, entries.size());
    while (entries.size() < count) entries.add(make.get());
    for (int index = 0; index < count; index++) {
      v.entry(index);
      entries.get(index).visit(v);
    }
  }

  static String choiceName(int value, String[] names) {
    return value < names.length ? names[value] : Integer.toString(value);
  }

  static String flagNames(int value, String[] names) {
    List<String> set = new ArrayList<>();
    for (int bit = 0; bit < names.length; bit++) if ((value >> bit & 1) == 1) set.add(names[bit]);
    return String.join("|", set);
  }

  static long little(byte[] bytes, int at, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[at + i] & 0xFF;
    return value;
  }

  /** Writes the fields of a message into a frame; what no field covers is 0. */
  private static final class Writer implements Visitor {
    private byte[] frame;
    private int base = HEADER_LENGTH;
    private int start;
    private int entryLength;

    Writer(Message message) {
      frame = new byte[HEADER_LENGTH + message.blockLength()];
      ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN).putShort(2, (short) ENCODING_TYPE)
          .putShort(4, (short) message.blockLength()).putShort(6, (short) message.template())
          .putShort(8, (short) Messages.SCHEMA_ID).putShort(10, (short) Messages.SCHEMA_VERSION);
    }

    private void set(int at, int size, long value) {
      for (int i = 0; i < size; i++) frame[at + i] = (byte) (value >> 8 * i);
    }

    @Override public long number(String name, int offset, int size, long value) {
      set(base + offset, size, value);
      return value;
    }

    @Override public long nullable(String name, int offset, int size, long value, long nothing) {
      return number(name, offset, size, value);
    }

    @Override public long integer(String name, int offset, int size, long value) {
      return number(name, offset, size, value);
    }

    @Override public String text(String name, int offset, int length, String value) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      System.arraycopy(bytes, 0, frame, base + offset, Math.min(length, bytes.length));
      return value;
    }

    @Override public void bytes(String name, int offset, byte[] value) {
      System.arraycopy(value, 0, frame, base + offset, value.length);
    }

    @Override public int choice(String name, int offset, int value, String[] names) {
      return (int) number(name, offset, 1, value);
    }

    @Override public int flags(String name, int offset, int value, String[] names) {
      return (int) number(name, offset, 1, value);
    }

    @Override public int group(String name, int entryLength, int count) {
      int end = frame.length;
      frame = Arrays.copyOf(frame, end + 4 + entryLength * count);
      set(end, 2, entryLength);
      set(end + 2, 2, count);
      start = end + 4;
      this.entryLength = entryLength;
      return count;
    }

    @Override public void entry(int index) { base = start + entryLength * index; }
  }

  /**
   * Reads the fields of a message from a frame. A field that a shorter block of an older version lacks is null, or 0;
   * what a longer block of a newer version has besides is skipped.
   */
  private static final class Reader implements Visitor {
    private final byte[] frame;
    private int base = HEADER_LENGTH;
    private int limit;
    private int start;

    Reader(byte[] frame) {
      this.frame = frame;
      limit = (int) little(frame, 4, 2);
      if (base + limit > frame.length) throw new Malformed("the block is longer than the frame");
    }

    private boolean has(int offset, int size) { return offset + size <= limit; }

    @Override public long number(String name, int offset, int size, long value) {
      return has(offset, size) ? little(frame, base + offset, size) : 0;
    }

    @Override public long nullable(String name, int offset, int size, long value, long nothing) {
      return has(offset, size) ? little(frame, base + offset, size) : nothing;
    }

    @Override public long integer(String name, int offset, int size, long value) {
      int shift = 64 - 8 * size;
      return number(name, offset, size, 0) << shift >> shift;
    }

    @Override public String text(String name, int offset, int length, String value) {
      int end = 0;
      while (has(offset, length) && end < length && frame[base + offset + end] != 0) end++;
      return new String(frame, base + (end == 0 ? 0 : offset), end, StandardCharsets.UTF_8);
    }

    @Override public void bytes(String name, int offset, byte[] value) {
      if (has(offset, value.length)) System.arraycopy(frame, base + offset, value, 0, value.length);
      else Arrays.fill(value, (byte) 0);
    }

    @Override public int choice(String name, int offset, int value, String[] names) {
      return (int) number(name, offset, 1, 0);
    }

    @Override public int flags(String name, int offset, int value, String[] names) {
      return (int) number(name, offset, 1, 0);
    }

    @Override public int group(String name, int entryLength, int none) {
      start = base + limit + 4;
      if (start > frame.length) throw new Malformed("the frame ends before its group");
      limit = (int) little(frame, start - 4, 2);
      int count = (int) little(frame, start - 2, 2);
      if (start + limit * count > frame.length) throw new Malformed("the frame ends within its group");
      return count;
    }

    @Override public void entry(int index) { base = start + limit * index; }
  }

  /** Prints the fields, one a line: name, space, value. Nulls are `null`, bytes hexadecimal digits. */
  private static final class Printer implements Visitor {
    private final StringBuilder text = new StringBuilder();
    private String group = "";
    private String prefix = "";

    private void line(String name, String value) {
      text.append(prefix).append(name).append(' ').append(value).append('\n');
    }

    @Override public long number(String name, int offset, int size, long value) {
      line(name, Long.toUnsignedString(value));
      return value;
    }

    @Override public long nullable(String name, int offset, int size, long value, long nothing) {
      line(name, value == nothing ? "null" : Long.toUnsignedString(value));
      return value;
    }

    @Override public long integer(String name, int offset, int size, long value) {
      line(name, Long.toString(value));
      return value;
    }

    @Override public String text(String name, int offset, int length, String value) {
      line(name, value);
      return value;
    }

    @Override public void bytes(String name, int offset, byte[] value) {
      line(name, java.util.HexFormat.of().formatHex(value));
    }

    @Override public int choice(String name, int offset, int value, String[] names) {
      line(name, choiceName(value, names));
      return value;
    }

    @Override public int flags(String name, int offset, int value, String[] names) {
      line(name, flagNames(value, names));
      return value;
    }

    @Override public int group(String name, int entryLength, int count) {
      line(name, Integer.toString(count));
      group = name;
      return count;
    }

    @Override public void entry(int index) { prefix = group + "[" + index + "]."; }
  }

  /** The frame of a message. */
  public static byte[] encode(Message message) {
    Writer writer = new Writer(message);
    message.visit(writer);
    writer.set(0, 2, writer.frame.length);
    return writer.frame;
  }

  /** The message in a whole frame; null for a template that this schema lacks. */
  public static Message decode(byte[] frame) {
    if (frame.length < HEADER_LENGTH) throw new Malformed("the frame is shorter than its headers");
    if (little(frame, 8, 2) != Messages.SCHEMA_ID) throw new Malformed("the frame has another schema");
    Message message = Messages.make((int) little(frame, 6, 2));
    Reader reader = new Reader(frame);
    if (message != null) message.visit(reader);
    return message;
  }
}
