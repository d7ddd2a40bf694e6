package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RefusalLogTest {

    private static final Logger LOGGER = Logger.getLogger(RefusalLog.class.getName());

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final RefusalLog log = new RefusalLog();

    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            lines.add(record.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        LOGGER.setUseParentHandlers(false);
        LOGGER.addHandler(handler);
    }

    @AfterEach
    void stop() {
        LOGGER.removeHandler(handler);
        LOGGER.setUseParentHandlers(true);
    }

    private void say(String host, int port, String what) {
        log.say(new InetSocketAddress(host, port), what);
    }

    @Test
    void whoeverKnocksAllTheTimeHidesNobodyElse() {
        for (int port = 1; port <= 1000; port++) {
            say("10.0.0.66", port, "noise");
        }
        say("10.0.0.7", 5, "wrong secret");
        assertThat(lines).hasSize(11).endsWith("wrong secret").startsWith("noise");
        assertThat(lines.stream().filter("noise"::equals)).hasSize(10);
    }

    @Test
    void manyAddressesFillNoLog() {
        for (int i = 0; i < 250; i++) {
            say("10.0.1." + i, 5, "noise");
        }
        assertThat(lines).hasSize(RefusalLog.MOST_ADDRESSES + 10);
        log.say(null, "of nobody");
        assertThat(lines).doesNotContain("of nobody");
    }

    @Test
    void aLineIsOneLine() {
        say("10.0.0.7", 5, "a\nb" + "c".repeat(1000));
        assertThat(lines).singleElement().asString().startsWith("a?bccc").hasSize(304);
    }
}
