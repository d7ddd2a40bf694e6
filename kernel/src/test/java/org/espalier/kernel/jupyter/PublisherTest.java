package org.espalier.kernel.jupyter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dflib.jjava.jupyter.messages.HMACGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Against connections that read when they are told; the SUB socket of libzmq has the tests over the wire. That of JeroMQ 0.6 is of no use here: it
 * may register a connection that it just made and cancel that registration with an older one of the same channel, and then never speaks.
 */
@Timeout(60)
class PublisherTest {

    private static final int MESSAGES = 1000;
    private static final String TEXT = "x".repeat(32 << 10);

    private final WireFormat format;
    private final Publisher publisher;
    private final List<Socket> sockets = new ArrayList<>();

    PublisherTest() throws Exception {
        format = new WireFormat(new HMACGenerator("hmac-sha256", "secret"));
        publisher = new Publisher("127.0.0.1", 0, format, "session", Duration.ofMillis(300));
        publisher.start();
    }

    @AfterEach
    void close() throws IOException {
        publisher.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private static Message message(String type, String text) {
        return Message.spontaneous(type, Message.object().put("text", text), "session");
    }

    private void publish(int number) {
        publisher.publish(message("stream", number + " " + TEXT), Outbox.Kind.OUTPUT);
    }

    /** One that has been welcomed. */
    private DataInputStream subscriber() throws Exception {
        DataInputStream in = raw();
        assertThat(read(in).type()).isEqualTo("iopub_welcome");
        return in;
    }

    /** A connection that has subscribed to all, and reads nothing unless asked to. */
    private DataInputStream raw() throws IOException {
        Socket socket = new Socket("127.0.0.1", publisher.port());
        sockets.add(socket);
        socket.setSoTimeout(20_000);
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        socket.getOutputStream().write(Zmtp.greeting());
        Zmtp.readGreeting(in);
        socket.getOutputStream().write(Zmtp.ready("SUB"));
        assertThat(Zmtp.name(Zmtp.read(in, 1000))).isEqualTo("READY");
        socket.getOutputStream().write(new byte[] {0, 1, 1}); // a frame of one byte: all topics
        return in;
    }

    private Message read(DataInputStream in) throws IOException, WireException {
        List<byte[]> frames = new ArrayList<>();
        Zmtp.Frame frame;
        do {
            frame = Zmtp.read(in, 1 << 20);
            frames.add(frame.body());
        } while ((frame.flags() & Zmtp.MORE) != 0);
        return format.decode(frames);
    }

    @Test
    void aSubscriberGetsEverythingInOrder() throws Exception {
        DataInputStream reader = subscriber();
        for (int i = 0; i < 100; i++) {
            publisher.publish(message("status", "status " + i), Outbox.Kind.PROTOCOL);
            publisher.publish(message("stream", "stream " + i), Outbox.Kind.OUTPUT);
        }
        for (int i = 0; i < 100; i++) {
            assertThat(read(reader).content().path("text").asText()).isEqualTo("status " + i);
            assertThat(read(reader).content().path("text").asText()).isEqualTo("stream " + i);
        }
    }

    @Test
    void theWriterWaitsForASlowReaderAndNothingIsLost() throws Exception {
        DataInputStream reader = subscriber();
        AtomicInteger published = new AtomicInteger();
        Thread writer = new Thread(() -> {
            for (int i = 0; i < MESSAGES; i++) {
                publish(i);
                published.incrementAndGet();
            }
        });
        writer.start();
        for (int i = 0; i < MESSAGES; i++) {
            assertThat(read(reader).content().path("text").asText()).startsWith(i + " ");
            if (i % 10 == 0) {
                Thread.sleep(1);
            }
        }
        writer.join();
        assertThat(published).hasValue(MESSAGES);
    }

    @Test
    void aReaderThatHangsHoldsTheOthersForAWhileAndHearsWhatItMissed() throws Exception {
        DataInputStream hung = raw();
        DataInputStream reader = subscriber();
        long[] bytes = new long[1];
        Thread writer = new Thread(() -> {
            for (int i = 0; i < MESSAGES; i++) {
                Message message = message("stream", i + " " + TEXT);
                bytes[0] += Zmtp.message(format.encode(message)).length;
                publisher.publish(message, Outbox.Kind.OUTPUT);
                publisher.publish(message("status", "idle " + i), Outbox.Kind.PROTOCOL);
            }
        });
        assertThat(read(hung).type()).isEqualTo("iopub_welcome"); // it is subscribed
        writer.start();
        for (int i = 0; i < MESSAGES; i++) {
            assertThat(read(reader).content().path("text").asText()).startsWith(i + " ");
            assertThat(read(reader).content().path("text").asText()).isEqualTo("idle " + i);
        }
        writer.join();

        long taken = 0;
        int statuses = 0;
        List<String> notices = new ArrayList<>();
        while (statuses < MESSAGES) {
            Message message = read(hung);
            String text = message.content().path("text").asText();
            if (message.type().equals("status")) {
                assertThat(text).isEqualTo("idle " + statuses++);
            } else if (message.content().has("name")) {
                notices.add(text.strip());
            } else {
                taken += Zmtp.message(format.encode(message)).length;
            }
        }
        assertThat(taken).isPositive().isLessThan(bytes[0]);
        assertThat(notices)
                .containsExactly(String.format(
                        "[this client read too slowly: %,d bytes of output were not sent to it]", bytes[0] - taken));

        publisher.publish(message("stream", "after"), Outbox.Kind.OUTPUT);
        assertThat(read(hung).content().path("text").asText()).isEqualTo("after");
    }

    @Test
    void whatWaitsIsBoundedAndAnInterruptEndsTheWait() throws Exception {
        Publisher patient = new Publisher("127.0.0.1", 0, format, "session", Duration.ofMinutes(10));
        patient.start();
        try (Socket socket = new Socket("127.0.0.1", patient.port())) {
            socket.getOutputStream().write(Zmtp.greeting());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            Zmtp.readGreeting(in);
            socket.getOutputStream().write(Zmtp.ready("SUB"));
            Zmtp.read(in, 1000);
            socket.getOutputStream().write(new byte[] {0, 1, 1});
            Zmtp.read(in, 1000); // the first frame of the welcome: it has subscribed
            AtomicInteger published = new AtomicInteger();
            Thread writer = new Thread(() -> {
                while (!Thread.currentThread().isInterrupted()) {
                    patient.publish(message("stream", TEXT), Outbox.Kind.OUTPUT);
                    published.incrementAndGet();
                }
            });
            writer.start();
            while (writer.getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            // the rest is in the buffers of the operating system
            assertThat(published.get() * (long) TEXT.length()).isLessThan(Outbox.OUTPUT_BYTES + (32L << 20));
            writer.interrupt();
            writer.join(TimeUnit.SECONDS.toMillis(20));
            assertThat(writer.isAlive()).isFalse();
        } finally {
            patient.close();
        }
    }

    @Test
    void oneThatAsksAndReadsNothingIsEnded() throws Exception {
        DataInputStream reader = subscriber();
        raw();
        Socket asking = sockets.get(1);
        byte[] body = java.util.Arrays.copyOf(new byte[] {4, 'P', 'I', 'N', 'G'}, 60_000);
        byte[] ping = concat(
                new byte[] {Zmtp.COMMAND | Zmtp.LONG, 0, 0, 0, 0, 0, 0, (byte) (body.length >> 8), (byte) body.length},
                body);
        int most = (Outbox.PROTOCOL_BYTES + (32 << 20))
                / body.length; // the rest is in the buffers of the operating system
        assertThatThrownBy(() -> {
                    for (int i = 0; i < most; i++) {
                        asking.getOutputStream().write(ping);
                    }
                })
                .isInstanceOf(IOException.class);
        publisher.publish(message("status", "alive"), Outbox.Kind.PROTOCOL);
        assertThat(read(reader).content().path("text").asText()).isEqualTo("alive");
    }

    @Test
    void connectionsThatSayNothingKeepNobodyOut() throws Exception {
        for (int i = 0; i < 200; i++) {
            sockets.add(new Socket("127.0.0.1", publisher.port()));
        }
        DataInputStream reader = subscriber();
        publisher.publish(message("status", "alive"), Outbox.Kind.PROTOCOL);
        assertThat(read(reader).content().path("text").asText()).isEqualTo("alive");
    }

    @Test
    void connectionsThatSpeakSomethingElseHarmNobody() throws Exception {
        DataInputStream reader = subscriber();
        byte[][] words = {
            "GET / HTTP/1.1\r\n\r\n".repeat(10).getBytes("US-ASCII"),
            new byte[200],
            Zmtp.greeting(),
            concat(Zmtp.greeting(), new byte[] {Zmtp.LONG, 127, -1, -1, -1, -1, -1, -1, -1}),
            concat(Zmtp.greeting(), new byte[] {Zmtp.LONG, -1, -1, -1, -1, -1, -1, -1, -1}),
            concat(Zmtp.greeting(), new byte[] {Zmtp.COMMAND, 1, 90}),
            concat(concat(Zmtp.greeting(), Zmtp.ready("SUB")), new byte[] {Zmtp.COMMAND, 0}),
        };
        for (byte[] said : words) {
            try (Socket socket = new Socket("127.0.0.1", publisher.port())) {
                socket.getOutputStream().write(said);
            }
        }
        publisher.publish(message("status", "alive"), Outbox.Kind.PROTOCOL);
        assertThat(read(reader).content().path("text").asText()).isEqualTo("alive");
    }

    private static byte[] concat(byte[] first, byte[] second) {
        byte[] both = java.util.Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    @Test
    void connectionsThatSubscribeToNothingKeepNobodyOut() throws Exception {
        DataInputStream reader = subscriber();
        for (int i = 0; i < 200; i++) {
            Socket silent = new Socket("127.0.0.1", publisher.port());
            sockets.add(silent);
            silent.getOutputStream().write(Zmtp.greeting());
            silent.getOutputStream().write(Zmtp.ready("SUB"));
        }
        DataInputStream late = subscriber();
        publish(1);
        assertThat(read(reader).content().path("text").asText()).startsWith("1 ");
        assertThat(read(late).content().path("text").asText()).startsWith("1 ");
    }

    @Test
    void whoeverAsksWaitsForReadersButNotForOneThatHangs() throws Exception {
        DataInputStream reader = subscriber();
        Thread asking = new Thread(() -> {
            for (int i = 0; i < MESSAGES; i++) {
                publisher.awaitReaders();
                publisher.publish(message("status", i + " " + TEXT), Outbox.Kind.PROTOCOL);
            }
        });
        asking.start();
        while (asking.getState() != Thread.State.TIMED_WAITING) {
            assertThat(asking.isAlive()).isTrue(); // without waiting, 32 MB would have ended the subscriber
            Thread.onSpinWait();
        }
        for (int i = 0; i < MESSAGES; i++) {
            assertThat(read(reader).content().path("text").asText()).startsWith(i + " ");
        }
        asking.join();
        for (int i = 0; i < 300; i++) { // less than ends it; nothing is read
            publisher.publish(message("status", TEXT), Outbox.Kind.PROTOCOL);
        }
        publisher.awaitReaders(); // ends
    }
}
