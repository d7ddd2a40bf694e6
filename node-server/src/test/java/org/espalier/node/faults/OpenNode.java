package org.espalier.node.faults;

import java.io.IOException;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;

/**
 * A node that any caller may use, and that ends with its parent, for a process of its own: {@code NAME}. A secret is shown for one port, and would not
 * be taken through a {@link Relay}, which has another.
 */
final class OpenNode {

    private OpenNode() {}

    public static void main(String[] arguments) throws IOException {
        NodeServer node = NodeServer.start(NodeOptions.loopback(arguments[0]));
        node.closeAtExit();
        System.out.println("listening on " + node.address());
        while (System.in.read() >= 0) {
            // only the end counts
        }
        System.exit(0);
    }
}
