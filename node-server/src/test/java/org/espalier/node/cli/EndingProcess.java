package org.espalier.node.cli;

import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;

/** A process that does what commands do at their start, but while it ends already, as after a Ctrl-C; prints what came of it. */
final class EndingProcess {

    private EndingProcess() {}

    public static void main(String[] arguments) {
        NodeServer node = NodeServer.start(NodeOptions.loopback("late"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ends(node)));
        System.exit(0);
    }

    private static void ends(NodeServer node) {
        try {
            node.closeAtExit();
            node.await();
            System.out.println("the node is closed");
            try (InterruptAtExit interrupt = new InterruptAtExit()) {
                System.out.println("interrupted: " + Thread.interrupted());
            }
        } catch (InterruptedException | RuntimeException e) {
            System.out.println("unexpected: " + e);
        }
    }
}
