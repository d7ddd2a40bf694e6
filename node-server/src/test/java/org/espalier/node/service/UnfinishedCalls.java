package org.espalier.node.service;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A connection whose calls begin a request and never finish it: HTTP/2 by hand, since gRPC's own client sends whole messages. */
final class UnfinishedCalls implements AutoCloseable {

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int END_HEADERS = 4;
    private static final int MOST_FRAME = 16_384;

    private final Socket socket;
    private final DataOutputStream out;
    private int stream = 1;

    UnfinishedCalls(NodeServer node) throws IOException {
        socket = new Socket("127.0.0.1", node.port());
        out = new DataOutputStream(socket.getOutputStream());
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        frame(SETTINGS, 0, 0, new byte[0]);
        out.flush();
        Thread reads = new Thread(this::readOn);
        reads.setDaemon(true);
        reads.start();
    }

    /** Begins a call of Generate and sends that many bytes of a request that is said to have one more. */
    void begin(int bytes) throws IOException {
        frame(HEADERS, END_HEADERS, stream, headers("/espalier.v1.Node/Generate"));
        ByteArrayOutputStream prefix = new ByteArrayOutputStream();
        DataOutputStream length = new DataOutputStream(prefix);
        length.write(0);
        length.writeInt(bytes + 1);
        frame(DATA, 0, stream, prefix.toByteArray());
        for (int left = bytes; left > 0; left -= MOST_FRAME) {
            frame(DATA, 0, stream, new byte[Math.min(left, MOST_FRAME)]);
        }
        out.flush();
        stream += 2;
    }

    private void frame(int type, int flags, int of, byte[] payload) throws IOException {
        out.write(payload.length >> 16);
        out.writeShort(payload.length);
        out.write(type);
        out.write(flags);
        out.writeInt(of);
        out.write(payload);
    }

    /** HPACK: literals that are not indexed, with short new names. */
    private static byte[] headers(String path) throws IOException {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (List<String> header : List.of(
                List.of(":method", "POST"),
                List.of(":scheme", "http"),
                List.of(":path", path),
                List.of(":authority", "n"),
                List.of("te", "trailers"),
                List.of("content-type", "application/grpc"))) {
            block.write(0);
            for (String text : header) {
                block.write(text.length());
                block.write(text.getBytes(StandardCharsets.US_ASCII));
            }
        }
        return block.toByteArray();
    }

    private void readOn() {
        try {
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // it is closed
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
