package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Token;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever cancels, loses or closes may do so before the call has started. */
class GenerateCallTest {

    private final FakeLoader loader = new FakeLoader();
    private final AtomicInteger over = new AtomicInteger();
    private NodeServer server;
    private ClusterNode head;

    @BeforeEach
    void start() {
        server = NodeServer.start(NodeOptions.loopback("n0"), loader);
        head = new ClusterNode(NodeAddress.parse(server.address()), new Channels(Credentials.NONE));
    }

    @AfterEach
    void stop() {
        head.close();
        server.close();
    }

    private GenerateCall call() {
        return new GenerateCall(
                head,
                GenerateRequest.newBuilder()
                        .setDeployment("m")
                        .setEpoch(1)
                        .addPrompt(1)
                        .setMaxTokens(3)
                        .build(),
                Prompt.tokens(1),
                new FakeModel("m"),
                GenerationListener.SILENT,
                ended -> {
                    assertThat(ended).isEqualTo(Optional.empty());
                    over.incrementAndGet();
                });
    }

    @Test
    void cancelledBeforeItsStartItNeverReachesTheHead() {
        GenerateCall call = call();
        call.cancel();
        // The head knows no deployment m: it would refuse the call.
        assertThatThrownBy(() -> call.start().await()).isInstanceOf(GenerationCancelledException.class);
        assertThat(over).hasValue(1);
    }

    @Test
    void aHeadThatIsLostBeforeTheStartIsNamed() {
        GenerateCall call = call();
        call.lost(head.lost("it fell silent"));
        assertThatThrownBy(() -> call.start().await())
                .isInstanceOf(NodeLostException.class)
                .hasMessageContaining("is lost: it fell silent");
    }

    @Test
    void aStreamThatEndsWithoutAResultIsAnError() {
        GenerateCall call = call();
        call.onCompleted();
        assertThatThrownBy(call::await)
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("ended the generation without giving a reason: generate again");
        assertThat(over).hasValue(1);
    }

    /** It lives otherwise: nothing but this call is silent. */
    @Test
    void aHeadThatSaysNothingOfAGenerationIsLost() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        NodeGrpc.NodeImplBase silent = new NodeGrpc.NodeImplBase() {
            @Override
            public void generate(GenerateRequest request, StreamObserver<GenerateReply> replies) {
                asked.countDown();
            }
        };
        Server silentServer = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(silent)
                .build()
                .start();
        head.close();
        head = new ClusterNode(
                NodeAddress.parse("127.0.0.1:" + silentServer.getPort()), new Channels(Credentials.NONE));
        try {
            GenerateCall call = call();
            assertThatThrownBy(() -> call.start().await())
                    .isInstanceOf(NodeLostException.class)
                    .hasMessageStartingWith("node 127.0.0.1:" + silentServer.getPort()
                            + " is lost: it has said nothing about the generation for 5 s");
            assertThat(asked.getCount()).isZero();
            assertThat(over).hasValue(1);
        } finally {
            silentServer.shutdownNow();
        }
    }

    /** A call that only counts how many replies were asked for. */
    private static final class Asked extends ClientCallStreamObserver<GenerateRequest> {
        private final AtomicInteger replies = new AtomicInteger();

        @Override
        public void disableAutoRequestWithInitial(int first) {
            replies.set(first);
        }

        @Override
        public void request(int more) {
            replies.addAndGet(more);
        }

        @Override
        public void cancel(String message, Throwable cause) {}

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void onNext(GenerateRequest sent) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
    }

    @Test
    void asksForNoMoreRepliesThanItHasTaken() {
        GenerateCall call = call();
        Asked asked = new Asked();
        call.beforeStart(asked);
        assertThat(asked.replies).hasValue(64);
        for (int i = 0; i < 10; i++) {
            call.onNext(GenerateReply.newBuilder()
                    .setToken(Token.newBuilder().setId(i))
                    .build());
        }
        assertThat(asked.replies).hasValue(64);
        call.onCompleted();
        assertThatThrownBy(call::await).isInstanceOf(ClusterException.class);
        assertThat(asked.replies).hasValue(74);
    }

    @Test
    void closingTheClusterWhileAGenerationStartsCancelsIt() {
        AtomicReference<Cluster> cluster = new AtomicReference<>();
        cluster.set(Cluster.of(
                List.of(server.address()),
                new FakeModels(name -> new FakeModel(name, () -> cluster.get().close()))));
        cluster.get().load("m", LoadOptions.defaults());
        assertThatThrownBy(() -> cluster.get().generate(Prompt.text("HELLO"), GenerateOptions.defaults()))
                .isInstanceOf(GenerationCancelledException.class);
        assertThat(loader.loaded.get(0).steps()).isZero();
    }
}
