package org.espalier.kernel.jupyter;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Bytes of <a href="https://rfc.zeromq.org/spec/23/">ZMTP 3.0</a> without encryption (mechanism NULL), as every socket of ZeroMQ
 * understands them.
 */
final class Zmtp {

    static final int MORE = 1;
    static final int LONG = 2;
    static final int COMMAND = 4;

    private static final int GREETING = 64;
    private static final int MECHANISM = 12;
    private static final byte[] NULL = Arrays.copyOf("NULL".getBytes(StandardCharsets.US_ASCII), 20);

    private Zmtp() {}

    private static final int HANDSHAKE_MILLIS = 30_000;

    /** Of a command, and of a frame that is read in one piece. */
    private static final int SMALL_BYTES = 64 << 10;

    /** @param flags {@link #MORE}, {@link #LONG}, {@link #COMMAND} */
    record Frame(int flags, byte[] body) {

        boolean isCommand() {
            return (flags & COMMAND) != 0;
        }

        boolean isLast() {
            return (flags & MORE) == 0;
        }
    }

    /**
     * Shakes hands on a connection that was just made.
     *
     * @param type of the socket on this side
     * @return what the other side says of itself, by name
     * @throws ProtocolException if it is no ZMTP 3 without encryption
     */
    static Map<String, byte[]> shakeHands(Socket socket, DataInputStream in, String type) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(HANDSHAKE_MILLIS);
        OutputStream out = socket.getOutputStream();
        out.write(greeting());
        readGreeting(in);
        out.write(ready(type));
        Frame ready = read(in, SMALL_BYTES);
        if (!ready.isCommand() || !name(ready).equals("READY")) {
            throw new ProtocolException("expected the command READY");
        }
        socket.setSoTimeout(0);
        return properties(data(ready));
    }

    private static Map<String, byte[]> properties(byte[] data) throws ProtocolException {
        Map<String, byte[]> properties = new HashMap<>();
        ByteBuffer rest = ByteBuffer.wrap(data);
        try {
            while (rest.hasRemaining()) {
                byte[] name = new byte[rest.get() & 0xff];
                rest.get(name);
                int length = rest.getInt();
                if (length < 0 || length > rest.remaining()) {
                    throw new ProtocolException("a property of " + length + " bytes");
                }
                byte[] value = new byte[length];
                rest.get(value);
                properties.put(text(name), value);
            }
        } catch (BufferUnderflowException e) {
            throw new ProtocolException("properties that end early");
        }
        return properties;
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

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
    static byte[] ready(String socketType) {
        ByteArrayOutputStream properties = new ByteArrayOutputStream();
        byte[] name = "Socket-Type".getBytes(StandardCharsets.US_ASCII);
        byte[] type = socketType.getBytes(StandardCharsets.US_ASCII);
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

    /** What a heartbeat, a command of ZMTP 3.1, is answered with; empty for another command. */
    static Optional<byte[]> pong(Frame command) throws ProtocolException {
        if (!name(command).equals("PING")) {
            return Optional.empty();
        }
        byte[] data = data(command);
        return Optional.of(command("PONG", rest(data, 2))); // after a time to live of 2 bytes
    }

    /** What follows a command's name. */
    static byte[] data(Frame command) throws ProtocolException {
        return rest(command.body(), 1 + name(command).length());
    }

    static byte[] rest(byte[] bytes, int from) {
        return Arrays.copyOfRange(bytes, Math.min(from, bytes.length), bytes.length);
    }

    /** The name of a command. */
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

    /**
     * Reads a frame; takes memory for a large one as it comes, not as its length says.
     *
     * @throws ProtocolException if it has more than {@code most} bytes
     */
    static Frame read(DataInputStream in, long most) throws IOException {
        int flags = in.readUnsignedByte();
        long length = (flags & LONG) == 0 ? in.readUnsignedByte() : in.readLong();
        if (length < 0 || length > most) {
            throw new ProtocolException("a frame of " + length + " bytes, expected at most " + most);
        }
        if (length <= SMALL_BYTES) {
            byte[] body = new byte[(int) length];
            in.readFully(body);
            return new Frame(flags, body);
        }
        byte[] body = in.readNBytes((int) length);
        if (body.length < length) {
            throw new EOFException();
        }
        return new Frame(flags, body);
    }
}
