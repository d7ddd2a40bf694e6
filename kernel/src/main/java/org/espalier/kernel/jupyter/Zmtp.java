package org.espalier.kernel.jupyter;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Bytes of <a href="https://rfc.zeromq.org/spec/23/">ZMTP 3.0</a> as a publisher speaks it, without encryption (mechanism NULL): what
 * every SUB socket understands.
 */
final class Zmtp {

    static final int MORE = 1;
    static final int LONG = 2;
    static final int COMMAND = 4;

    private static final int GREETING = 64;
    private static final int MECHANISM = 12;
    private static final byte[] NULL = Arrays.copyOf("NULL".getBytes(StandardCharsets.US_ASCII), 20);

    private Zmtp() {}

    /** @param flags {@link #MORE}, {@link #LONG}, {@link #COMMAND} */
    record Frame(int flags, byte[] body) {}

    /** What both sides send first: signature, version 3.0, mechanism. */
    static byte[] greeting() {
        ByteBuffer greeting = ByteBuffer.allocate(GREETING);
        greeting.put(0, (byte) 0xff).put(8, (byte) 1).put(9, (byte) 0x7f).put(10, (byte) 3);
        greeting.position(MECHANISM).put(NULL);
        return greeting.array();
    }

    /** @throws ProtocolException if the other side is no ZMTP 3 without encryption */
    static void readGreeting(DataInputStream in) throws IOException {
        byte[] greeting = in.readNBytes(GREETING);
        if (greeting.length < GREETING || greeting[0] != (byte) 0xff || (greeting[9] & 1) == 0 || greeting[10] < 3) {
            throw new ProtocolException("expected the greeting of ZMTP 3");
        }
        if (!Arrays.equals(greeting, MECHANISM, MECHANISM + NULL.length, NULL, 0, NULL.length)) {
            throw new ProtocolException("expected the mechanism NULL");
        }
    }

    /** The handshake's command, which names the kind of this socket. */
    static byte[] ready() {
        ByteArrayOutputStream properties = new ByteArrayOutputStream();
        byte[] name = "Socket-Type".getBytes(StandardCharsets.US_ASCII);
        byte[] type = "PUB".getBytes(StandardCharsets.US_ASCII);
        properties.write(name.length);
        properties.writeBytes(name);
        properties.writeBytes(
                ByteBuffer.allocate(Integer.BYTES).putInt(type.length).array());
        properties.writeBytes(type);
        return command("READY", properties.toByteArray());
    }

    static byte[] command(String name, byte[] data) {
        byte[] word = name.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer body = ByteBuffer.allocate(1 + word.length + data.length);
        body.put((byte) word.length).put(word).put(data);
        return frame(COMMAND, body.array()).array();
    }

    /** The name of a command; its data begin one byte after it. */
    static String name(Frame command) throws ProtocolException {
        byte[] body = command.body();
        if (body.length == 0 || body[0] < 0 || 1 + body[0] > body.length) {
            throw new ProtocolException("a command without a name");
        }
        return new String(body, 1, body[0], StandardCharsets.US_ASCII);
    }

    /** All frames of a message, ready to be sent. */
    static byte[] message(List<byte[]> frames) {
        ByteArrayOutputStream all = new ByteArrayOutputStream(
                frames.stream().mapToInt(body -> body.length + 9).sum());
        for (int i = 0; i < frames.size(); i++) {
            all.writeBytes(
                    frame(i < frames.size() - 1 ? MORE : 0, frames.get(i)).array());
        }
        return all.toByteArray();
    }

    private static ByteBuffer frame(int flags, byte[] body) {
        return body.length <= 255
                ? ByteBuffer.allocate(2 + body.length)
                        .put((byte) flags)
                        .put((byte) body.length)
                        .put(body)
                : ByteBuffer.allocate(9 + body.length)
                        .put((byte) (flags | LONG))
                        .putLong(body.length)
                        .put(body);
    }

    /** @throws ProtocolException if the frame has more than {@code most} bytes */
    static Frame read(DataInputStream in, int most) throws IOException {
        int flags = in.readUnsignedByte();
        long length = (flags & LONG) == 0 ? in.readUnsignedByte() : in.readLong();
        if (length < 0 || length > most) {
            throw new ProtocolException("a frame of " + length + " bytes, expected at most " + most);
        }
        byte[] body = new byte[(int) length];
        in.readFully(body);
        return new Frame(flags, body);
    }
}
