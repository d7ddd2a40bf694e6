package org.espalier.node.faults;

import java.nio.file.Path;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.transport.Certificates;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;

/**
 * A node whose model is made of whole numbers, for a process of its own: {@code NAME}, and {@code stuck} if its loads never end and heed nothing, or
 * {@code CERTIFICATES PORT} if it speaks TLS.
 */
final class FakeNode {

    private FakeNode() {}

    public static void main(String[] arguments) throws InterruptedException {
        FakeLoader loader = new FakeLoader();
        if (arguments.length == 2) {
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
        NodeOptions options = NodeOptions.loopback(arguments[0]);
        NodeServer node = NodeServer.start(
                arguments.length == 3 ? options.with(tls(Path.of(arguments[1]), arguments[2])) : options, loader);
        node.closeAtExit();
        System.out.println("listening on " + node.address());
        node.await();
    }

    private static Listening tls(Path certificates, String port) {
        String address = "127.0.0.1:" + port;
        return Listening.tls(address, Certificates.read(certificates)).withAdvertised(NodeAddress.tls(address));
    }
}
