package org.espalier.kernel.jupyter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against connections by hand; libzmq and jeromq have the tests over the wire and the making of the class archive. */
@Timeout(60)
class RouterTest {

    private static final int MOST = 100_000;

    private final BlockingQueue<List<byte[]>> taken = new LinkedBlockingQueue<>();
    private volatile Router.Taker answer = taken::add;
    private final Router router;
    private final List<Client> clients = new ArrayList<>();

    RouterTest() throws IOException {
        router = new Router("test", "127.0.0.1", 0, MOST, frames -> answer.take(frames));
        router.start();
    }

    @AfterEach
    void close() throws IOException {
        router.close();
        for (Client client : clients) {
            client.socket.close();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private List<byte[]> next() throws InterruptedException {
        List<byte[]> frames = taken.poll(20, TimeUnit.SECONDS);
        assertThat(frames).isNotNull();
        return frames;
    }

    /** One that reads when it is told. */
    private final class Client {

        private final Socket socket = new Socket("127.0.0.1", router.port());
        private final DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));

        Client(String kind, String identity) throws IOException {
            clients.add(this);
            socket.setSoTimeout(20_000);
            write(Zmtp.greeting());
            Zmtp.readGreeting(in);
            ByteArrayOutputStream properties = new ByteArrayOutputStream();
            properties.writeBytes(bytes("\u000bSocket-Type\0\0\0" + (char) kind.length() + kind));
            properties.writeBytes(bytes("\u0008Identity\0\0\0" + (char) identity.length() + identity));
            write(Zmtp.command("READY", properties.toByteArray()));
            assertThat(Zmtp.name(Zmtp.read(in, 1000))).isEqualTo("READY");
        }

        void write(byte[] what) throws IOException {
            socket.getOutputStream().write(what);
        }

        void send(String... frames) throws IOException {
            write(Zmtp.message(List.of(frames).stream().map(RouterTest::bytes).toList()));
        }

        List<String> read() throws IOException {
            List<String> frames = new ArrayList<>();
            Zmtp.Frame frame;
            do {
                frame = Zmtp.read(in, Integer.MAX_VALUE);
                frames.add(Zmtp.text(frame.body()));
            } while (!frame.isLast());
            return frames;
        }
    }

    private Client client(String identity) throws IOException {
        return new Client("DEALER", identity);
    }

    /** Sends as a reply to a message that this client sent. */
    private byte[] joined(Client client) throws Exception {
        client.send("hello");
        return next().get(0);
    }

    @Test
    void aReplyGoesToWhoAsked() throws Exception {
        Client ada = client("ada");
        Client nameless = client("");
        Client other = client("\0fake");
        ada.send("a", "", "b".repeat(70_000));
        List<byte[]> asked = next();
        assertThat(asked.stream().map(Zmtp::text)).containsExactly("ada", "a", "", "b".repeat(70_000));
        List<byte[]> identities = List.of(asked.get(0), joined(nameless), joined(other));
        assertThat(identities.get(1)).hasSize(5).startsWith(0).isNotEqualTo(identities.get(2));
        assertThat(identities.get(2)).hasSize(5).startsWith(0);
        for (int i = 0; i < 3; i++) {
            router.send(List.of(identities.get(i), bytes("for"), bytes("client " + i)));
        }
        router.send(List.of(bytes("nobody"), bytes("x")));
        assertThat(ada.read()).containsExactly("for", "client 0");
        assertThat(nameless.read()).containsExactly("for", "client 1");
        assertThat(other.read()).containsExactly("for", "client 2");
    }

    @Test
    void whatWaitsForAClientThatDoesNotReadIsBounded() throws Exception {
        byte[] deaf = joined(client("deaf"));
        Client reader = client("reader");
        byte[] reading = joined(reader);
        byte[] megabyte = new byte[1 << 20];
        int sent = 0;
        while (!clients.get(0).socket.isClosed() && sent < 200) { // most of it only if nothing bounds it
            router.send(List.of(deaf, megabyte));
            router.send(List.of(reading, bytes("reply " + sent)));
            assertThat(reader.read()).containsExactly("reply " + sent);
            sent++;
        }
        int read = 0;
        try {
            while (true) {
                clients.get(0).read();
                read++;
            }
        } catch (IOException e) {
            // its connection was ended
        }
        // the rest is in the buffers of the operating system
        assertThat(read).isLessThan((Peer.WAITING_BYTES + (16 << 20)) / megabyte.length);
        router.send(List.of(reading, bytes("alive")));
        assertThat(reader.read()).containsExactly("alive");
    }

    /** Replies of a megabyte: what is asked further lies in the system's buffers, until the client reads. */
    @Test
    void aClientThatDoesNotReadIsReadNoFurther() throws Exception {
        Client client = client("asks");
        byte[] identity = joined(client);
        AtomicInteger answered = new AtomicInteger();
        answer = frames -> {
            router.send(List.of(identity, new byte[1 << 20]));
            return answered.incrementAndGet() > 0;
        };
        for (int i = 0; i < 150; i++) {
            client.send("request " + i);
        }
        for (int i = 0; i < 150; i++) {
            assertThat(client.read().get(0)).hasSize(1 << 20);
            assertThat(answered.get() - i).isLessThan(30);
        }
    }

    @Test
    void aSlowClientGetsEverythingAndOneReplyMayBeLarge() throws Exception {
        Client slow = client("slow");
        byte[] identity = joined(slow);
        router.send(List.of(identity, new byte[Peer.WAITING_BYTES + 1]));
        assertThat(slow.read().get(0)).hasSize(Peer.WAITING_BYTES + 1);
        for (int i = 0; i < 1000; i++) {
            router.send(List.of(identity, bytes(i + " " + "x".repeat(20_000))));
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(slow.read().get(0)).startsWith(i + " ");
        }
    }

    @Test
    void aClientThatConnectsAgainTakesItsFormerPlace() throws Exception {
        Client former = client("ada");
        joined(former);
        Client now = client("ada");
        byte[] identity = joined(now);
        router.send(List.of(identity, bytes("now")));
        assertThat(now.read()).containsExactly("now");
        assertThatThrownBy(former::read).isInstanceOf(IOException.class);
        router.send(List.of(identity, bytes("still")));
        assertThat(now.read()).containsExactly("still");
    }

    @Test
    void aHeartbeatOfTheConnectionIsAnswered() throws Exception {
        Client client = client("ada");
        client.write(Zmtp.command("PING", bytes("\0\0context")));
        Zmtp.Frame pong = Zmtp.read(client.in, 1000);
        assertThat(Zmtp.name(pong)).isEqualTo("PONG");
        assertThat(Zmtp.data(pong)).isEqualTo(bytes("context"));
    }

    @Test
    void messagesThatAreTooLargeAndConnectionsThatSpeakSomethingElseHarmNobody() throws Exception {
        Client client = client("ada");
        client.send("x".repeat(MOST), "one byte too many in all");
        client.write(Zmtp.message(java.util.Collections.nCopies(1001, new byte[0])));
        client.send("taken");
        assertThat(Zmtp.text(next().get(1))).isEqualTo("taken");

        client("large").send("x".repeat(MOST + 1));
        assertThatThrownBy(() -> clients.get(1).read()).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> new Client("SUB", "").read()).isInstanceOf(IOException.class);
        byte[][] words = {
            bytes("GET / HTTP/1.1\r\n\r\n".repeat(10)),
            new byte[200],
            Zmtp.command("READY", bytes("\u000bSocket-Type\u007f\0\0\0DEALER")),
            Zmtp.command("READY", bytes("\u00ffSocket-Type")),
            Zmtp.command("READY", new byte[0]),
            Zmtp.command("ERROR", new byte[0]),
            {Zmtp.COMMAND, 0},
            {Zmtp.LONG, -1, -1, -1, -1, -1, -1, -1, -1},
        };
        for (byte[] said : words) {
            for (byte[] before : List.of(new byte[0], Zmtp.greeting())) {
                try (Socket socket = new Socket("127.0.0.1", router.port())) {
                    socket.getOutputStream().write(before);
                    socket.getOutputStream().write(said);
                }
            }
        }
        client.send("alive");
        assertThat(Zmtp.text(next().get(1))).isEqualTo("alive");
    }

    @Test
    void connectionsThatSayNothingKeepNobodyOut() throws Exception {
        Client ada = client("ada");
        byte[] identity = joined(ada);
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                silent.add(new Socket("127.0.0.1", router.port()));
            }
            byte[] late = joined(client("late"));
            router.send(List.of(late, bytes("welcome")));
            assertThat(clients.get(1).read()).containsExactly("welcome");
            router.send(List.of(identity, bytes("still")));
            assertThat(ada.read()).containsExactly("still");
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void connectionsThatOnlyShakeHandsKeepNobodyOut() throws Exception {
        Client ada = client("ada");
        byte[] identity = joined(ada);
        for (int i = 0; i < 200; i++) {
            client("silent " + i);
        }
        Client late = client("late");
        router.send(List.of(joined(late), bytes("welcome")));
        assertThat(late.read()).containsExactly("welcome");
        router.send(List.of(identity, bytes("still")));
        assertThat(ada.read()).containsExactly("still");
        assertThatThrownBy(() -> clients.get(1).read()).isInstanceOf(IOException.class); // the oldest
    }

    @Test
    void whatWaitsIsSentBeforeItCloses() throws Exception {
        Client client = client("ada");
        byte[] identity = joined(client);
        for (int i = 0; i < 100; i++) {
            router.send(List.of(identity, bytes(i + " " + "x".repeat(1000))));
        }
        router.close();
        for (int i = 0; i < 100; i++) {
            assertThat(client.read().get(0)).startsWith(i + " ");
        }
        assertThatThrownBy(client::read).isInstanceOf(IOException.class);
    }
}
