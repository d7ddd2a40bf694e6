package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class HungNodesTest {

    private static ServerSocket server() throws Exception {
        return new ServerSocket(0, 10, InetAddress.getByName("127.0.0.1"));
    }

    @Test
    void onlyWhatNeitherAnswersNorEndsHangs() throws Exception {
        try (ServerSocket hangs = server();
                ServerSocket ends = server();
                FakeRing ring = new FakeRing(2)) {
            String gone;
            try (ServerSocket closed = server()) {
                gone = "127.0.0.1:" + closed.getLocalPort();
            }
            String hung = "127.0.0.1:" + hangs.getLocalPort();
            try (HungNodes nodes = new HungNodes(List.of(
                    hung,
                    ring.nodes.get(0).address(),
                    gone,
                    ring.nodes.get(1).address(),
                    "127.0.0.1:" + ends.getLocalPort()))) {
                ends.accept().close();
                assertThat(nodes.after(Duration.ofSeconds(2))).containsExactly(hung);
            }
        }
    }
}
