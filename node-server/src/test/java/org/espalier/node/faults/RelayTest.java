package org.espalier.node.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tests' own link does what it is told, and nothing else. */
@Timeout(30)
class RelayTest {

    private ServerSocket listening;
    private Relay relay;
    private Socket caller;
    private Socket callee;

    @BeforeEach
    void connect() throws IOException {
        listening = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
        relay = new Relay("127.0.0.1:" + listening.getLocalPort());
        caller = dial();
        callee = listening.accept();
        callee.setSoTimeout(10_000);
    }

    private Socket dial() throws IOException {
        Socket socket = new Socket(
                "127.0.0.1",
                Integer.parseInt(relay.address().substring(relay.address().lastIndexOf(':') + 1)));
        socket.setSoTimeout(10_000);
        return socket;
    }

    @AfterEach
    void close() throws IOException {
        relay.close();
        caller.close();
        callee.close();
        listening.close();
    }

    @Test
    void passesBytesBothWaysAndTheEnd() throws IOException {
        caller.getOutputStream().write("hello".getBytes());
        assertThat(callee.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
        callee.getOutputStream().write("and good day".getBytes());
        assertThat(caller.getInputStream().readNBytes(12)).asString().isEqualTo("and good day");
        caller.shutdownOutput();
        assertThat(callee.getInputStream().read()).isEqualTo(-1);
        callee.getOutputStream().write(7); // the other way still stands
        assertThat(caller.getInputStream().read()).isEqualTo(7);
        assertThat(relay.passed(Relay.Way.TO_TARGET)).isEqualTo(5);
        assertThat(relay.passed(Relay.Way.TO_CALLER)).isEqualTo(13);
    }

    @Test
    void holdsOneWayAndLetsGoInOrder() throws IOException {
        relay.hold(Relay.Way.TO_TARGET);
        caller.getOutputStream().write(new byte[] {1, 2});
        callee.getOutputStream().write(3);
        assertThat(caller.getInputStream().read()).isEqualTo(3);
        callee.setSoTimeout(50);
        assertThatThrownBy(() -> callee.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        relay.release(Relay.Way.TO_TARGET);
        callee.setSoTimeout(10_000);
        assertThat(callee.getInputStream().readNBytes(2)).containsExactly(1, 2);
    }

    @Test
    void delays() throws IOException {
        relay.delay(Relay.Way.TO_TARGET, Duration.ofMillis(200));
        long begin = System.nanoTime();
        caller.getOutputStream().write(1);
        assertThat(callee.getInputStream().read()).isEqualTo(1);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
    }

    @Test
    void cutsInOrderAndResets() throws IOException {
        caller.getOutputStream().write(1);
        assertThat(callee.getInputStream().read()).isEqualTo(1); // the relay has the connection
        relay.cut();
        assertThat(caller.getInputStream().read()).isEqualTo(-1);
        assertThat(callee.getInputStream().read()).isEqualTo(-1);
        try (Socket again = dial();
                Socket there = listening.accept()) {
            again.getOutputStream().write(5);
            assertThat(there.getInputStream().read()).isEqualTo(5);
            relay.reset();
            assertThatThrownBy(() -> again.getInputStream().read()).isInstanceOf(SocketException.class);
            assertThatThrownBy(() -> there.getInputStream().read()).isInstanceOf(SocketException.class);
        }
        assertThat(relay.connections()).isZero();
    }

    @Test
    void resetsWhereNothingListens() throws IOException {
        listening.close();
        try (Socket refused = dial()) {
            assertThatThrownBy(() -> refused.getInputStream().read()).isInstanceOf(SocketException.class);
        }
    }
}
