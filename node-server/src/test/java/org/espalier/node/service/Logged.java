package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.slf4j.helpers.MessageFormatter;

/** The lines that a logger and those below it write while this is open. */
final class Logged extends Handler implements AutoCloseable {

    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    Logged(String name) {
        logger = Logger.getLogger(name);
        logger.addHandler(this);
    }

    List<String> lines() {
        return lines;
    }

    /** Waits for a line that matches. */
    void await(String pattern) throws InterruptedException {
        for (int i = 0; i < 1000 && lines.stream().noneMatch(line -> line.matches(pattern)); i++) {
            Thread.sleep(10);
        }
        assertThat(lines).anyMatch(line -> line.matches(pattern));
    }

    @Override
    public void publish(LogRecord record) {
        lines.add(MessageFormatter.basicArrayFormat(record.getMessage(), record.getParameters()));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
    }
}
