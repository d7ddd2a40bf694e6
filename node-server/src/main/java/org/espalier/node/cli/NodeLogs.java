package org.espalier.node.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.logging.Formatter;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;

/** Logs of a command: one line each, on standard error, warnings and up from libraries. {@link LogManager} makes one when it is first needed. */
public final class NodeLogs {

    private static final String CONFIGURATION = String.join(
            "\n",
            "handlers = java.util.logging.ConsoleHandler",
            "java.util.logging.ConsoleHandler.formatter = " + OneLine.class.getName(),
            ".level = WARNING",
            "org.espalier.level = INFO");

    /** For {@link LogManager}. */
    public NodeLogs() throws IOException {
        LogManager.getLogManager()
                .readConfiguration(new ByteArrayInputStream(CONFIGURATION.getBytes(StandardCharsets.ISO_8859_1)));
    }

    /** Before the first logger is asked for. The logging system takes long to start, and a command begins before that. */
    static void toStandardError() {
        System.setProperty("java.util.logging.config.class", NodeLogs.class.getName());
    }

    /** Time, level, where, message and what was thrown. SimpleFormatter tries its format at once, which loads the calendars of all locales. */
    public static final class OneLine extends Formatter {
        @Override
        public String format(LogRecord record) {
            StringWriter thrown = new StringWriter();
            if (record.getThrown() != null) {
                record.getThrown().printStackTrace(new PrintWriter(thrown.append(System.lineSeparator()), true));
            }
            String where = record.getSourceClassName() == null
                    ? record.getLoggerName()
                    : record.getSourceClassName() + " " + record.getSourceMethodName();
            ZonedDateTime at = record.getInstant().atZone(ZoneId.systemDefault());
            return String.format(
                    "%1$tF %1$tT %2$s %3$s: %4$s%5$s%n", at, record.getLevel(), where, formatMessage(record), thrown);
        }
    }
}
