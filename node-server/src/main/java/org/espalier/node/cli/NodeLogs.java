package org.espalier.node.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Logs of a command: one line each, on standard error, warnings and up from libraries. */
final class NodeLogs {

    private NodeLogs() {}

    static void toStandardError() {
        LogManager.getLogManager().reset();
        Handler console = new ConsoleHandler();
        console.setFormatter(new OneLine());
        Logger root = Logger.getLogger("");
        root.addHandler(console);
        root.setLevel(Level.WARNING);
        Logger.getLogger("org.espalier").setLevel(Level.INFO);
    }

    /** Time, level, where, message and what was thrown. SimpleFormatter tries its format at once, which loads the calendars of all locales. */
    private static final class OneLine extends Formatter {
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
