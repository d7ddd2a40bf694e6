package org.espalier.node.faults;

import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;

/** A node whose model is made of whole numbers, for a process of its own: {@code NAME}, and {@code stuck} if its loads never end and heed nothing. */
final class FakeNode {

    private FakeNode() {}

    public static void main(String[] arguments) throws InterruptedException {
        FakeLoader loader = new FakeLoader();
        if (arguments.length > 1) {
            loader.whileLoading = cancel -> {
                while (true) {
                    try {
                        Thread.sleep(1000);
                    } catch (InterruptedException e) {
                        // it heeds nothing
                    }
                }
            };
        }
        NodeServer node = NodeServer.start(NodeOptions.loopback(arguments[0]), loader);
        node.closeAtExit();
        System.out.println("listening on " + node.address());
        node.await();
    }
}
