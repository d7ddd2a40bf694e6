package org.espalier.kernel.jupyter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintStream;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class PortTest {

    /** As where a notebook has taken all memory: it cannot even be logged. */
    private static final class NoMemory extends OutOfMemoryError {
        @Override
        public void printStackTrace(PrintStream stream) {
            throw new OutOfMemoryError();
        }

        @Override
        public void printStackTrace(java.io.PrintWriter writer) {
            throw new OutOfMemoryError();
        }
    }

    @Test
    void aFailureThatCannotBeLoggedEndsNoPort() throws Exception {
        BlockingQueue<Socket> taken = new LinkedBlockingQueue<>();
        try (Port port = new Port("test", "127.0.0.1", 0)) {
            port.start(connection -> {
                taken.add(connection);
                if (taken.size() == 1) {
                    throw new NoMemory();
                }
            });
            for (int i = 0; i < 2; i++) {
                connect(port);
            }
            for (int i = 0; i < 2; i++) {
                Socket connection = taken.poll(10, TimeUnit.SECONDS);
                assertThat(connection).isNotNull();
                assertThat(connection.getKeepAlive()).isTrue();
                connection.close();
            }
        }
    }

    private static void connect(Port port) throws IOException {
        new Socket("127.0.0.1", port.number()).close();
    }
}
