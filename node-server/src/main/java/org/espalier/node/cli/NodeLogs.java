package org.espalier.node.cli;

import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Logs of a command: one line each, on standard error, warnings and up from libraries. */
final class NodeLogs {

    private NodeLogs() {}

    static void toStandardError() {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT %4$s %3$s: %5$s%6$s%n");
        LogManager.getLogManager().reset();
        Handler console = new ConsoleHandler();
        console.setFormatter(new SimpleFormatter());
        Logger root = Logger.getLogger("");
        root.addHandler(console);
        root.setLevel(Level.WARNING);
        Logger.getLogger("org.espalier").setLevel(Level.INFO);
    }
}
