package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.PlacementDigest;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.RingGrpc;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bytes that are no message of the protocol are refused with a sentence, and nothing is logged. */
@Timeout(60)
class UnreadableRequestsTest {

    private static final byte[] CUT_OFF = {10, 100};

    private record Bytes() implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** How a call of these messages ends. */
    private static StatusWithFailure end(FakeRing ring, int node, MethodDescriptor<?, ?> method, byte[]... messages)
            throws Exception {
        ClientCall<byte[], byte[]> call = ring.channels
                .get(node)
                .newCall(method.toBuilder(new Bytes(), new Bytes()).build(), CallOptions.DEFAULT);
        CompletableFuture<StatusWithFailure> end = new CompletableFuture<>();
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        end.complete(new StatusWithFailure(
                                status.getCode() + ": " + status.getDescription(),
                                FailureStatus.details(status.asRuntimeException(trailers))
                                        .map(Failure::kind)
                                        .orElse(null)));
                    }
                },
                new Metadata());
        call.request(100);
        for (byte[] message : messages) {
            call.sendMessage(message);
        }
        if (method.getType().clientSendsOneMessage()) {
            call.halfClose();
        }
        return end.get(20, TimeUnit.SECONDS);
    }

    private record StatusWithFailure(String status, Failure.Kind kind) {}

    private static StatusWithFailure refusal(MethodDescriptor<?, ?> method) {
        return new StatusWithFailure(
                "INVALID_ARGUMENT: node n0 cannot read a request of " + method.getFullMethodName()
                        + ": its bytes are no such message",
                Failure.Kind.INVALID);
    }

    @Test
    void areRefusedByEveryService() throws Exception {
        byte[] noise = new byte[100_000];
        new Random(1).nextBytes(noise);
        noise[0] = (byte) 0xff;
        try (FakeRing ring = FakeRing.serving(1);
                Logged grpc = new Logged("io.grpc");
                Logged ours = new Logged("org.espalier")) {
            for (MethodDescriptor<?, ?> method : NodeGrpc.getServiceDescriptor().getMethods()) {
                assertThat(end(ring, 0, method, CUT_OFF)).isEqualTo(refusal(method));
            }
            for (MethodDescriptor<?, ?> method : RingGrpc.getServiceDescriptor().getMethods()) {
                assertThat(end(ring, 0, method, noise)).isEqualTo(refusal(method));
            }
            assertThat(end(ring, 0, HealthGrpc.getCheckMethod(), CUT_OFF))
                    .isEqualTo(refusal(HealthGrpc.getCheckMethod()));
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(3, 5).build())))
                    .hasSize(5);
            assertThat(grpc.lines()).isEmpty();
            assertThat(ours.lines()).isEmpty();
        }
    }

    /** It is not waited for: the other ring of its node hears nothing of it. */
    @Test
    void aLinkIsBrokenByThem() throws Exception {
        try (FakeRing ring = new FakeRing(2);
                Logged ours = new Logged("org.espalier")) {
            ring.load(1, 1, "fake", ring.even(2));
            byte[] hello = Frame.newBuilder()
                    .setHello(Hello.newBuilder()
                            .setDeployment(FakeRing.ID)
                            .setEpoch(1)
                            .setNode("n0")
                            .setPrecision("float32")
                            .setActivationBytes(Float.BYTES)
                            .setIncarnation(1)
                            .setDigest(PlacementDigest.of(
                                    ring.request(0, 1, "fake", ring.even(2)).build())))
                    .build()
                    .toByteArray();
            assertThat(end(ring, 1, RingGrpc.getLinkMethod(), hello, CUT_OFF).status())
                    .isEqualTo("INVALID_ARGUMENT: node n1 cannot read a request of espalier.v1.Ring/Link: its bytes are"
                            + " no such message");
            ours.await("the ring of deployment d broke: node n0 .* is lost: its connection closed");
        }
    }
}
