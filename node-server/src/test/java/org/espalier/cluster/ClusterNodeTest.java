package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.junit.jupiter.api.Test;

class ClusterNodeTest {

    @Test
    void aNodeThatIsBackIsSeenByTheNextCall() {
        NodeServer first = NodeServer.start(NodeOptions.loopback("n0"), new FakeLoader());
        try (ClusterNode node = new ClusterNode(NodeAddress.parse(first.address()), new Channels(Credentials.NONE))) {
            assertThat(node.describe().name()).isEqualTo("n0");
            first.close();
            for (int i = 0; i < 5; i++) {
                assertThatThrownBy(node::describe).isInstanceOf(StatusRuntimeException.class);
            }
            try (NodeServer back = NodeServer.start(
                    NodeOptions.loopback("n0 again").with(Listening.loopback().withPort(first.port())),
                    new FakeLoader())) {
                assertThat(node.describe().name()).isEqualTo("n0 again");
            }
        }
    }
}
