package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.Frame;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.RingGrpc;

/** Another user of this machine, who has found the port of a node in plain text. */
final class Stranger {

    private Stranger() {}

    /**
     * Every service refuses whoever shows no secret, and whoever shows another.
     *
     * @param node its name
     */
    static void isRefused(String node, String address) throws Exception {
        ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
                .build();
        String refused = "UNAUTHENTICATED: node " + node + " refused the call: it";
        try {
            isRefused(channel, refused + " has not shown the node's secret");
            Metadata guessed = new Metadata();
            guessed.put(Metadata.Key.of("espalier-secret", Metadata.ASCII_STRING_MARSHALLER), "0".repeat(64));
            isRefused(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(guessed)),
                    refused + "s secret is not the node's");
        } finally {
            channel.shutdownNow();
        }
    }

    private static void isRefused(Channel channel, String message) throws Exception {
        assertThat(describe(channel)).hasMessageStartingWith(message);
        assertThat(catchThrowable(() -> NodeGrpc.newBlockingStub(channel)
                        .load(LoadRequest.getDefaultInstance())
                        .next()))
                .hasMessageStartingWith(message);
        assertThat(catchThrowable(() -> RingGrpc.newBlockingStub(channel).echo(EchoRequest.getDefaultInstance())))
                .hasMessageStartingWith(message);
        assertThat(Stranger.<Frame>ended(answers -> RingGrpc.newStub(channel).link(answers)))
                .hasMessageStartingWith(message);
        assertThat(catchThrowable(
                        () -> HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance())))
                .hasMessageStartingWith(message);
        assertThat(Stranger.<ServerReflectionResponse>ended(answers -> {
                    StreamObserver<ServerReflectionRequest> requests =
                            ServerReflectionGrpc.newStub(channel).serverReflectionInfo(answers);
                    return requests;
                }))
                .hasMessageStartingWith(message);
    }

    /** The error of a Describe; null if it is answered. */
    static Throwable describe(Channel channel) {
        return catchThrowable(() -> NodeGrpc.newBlockingStub(channel).describe(DescribeRequest.getDefaultInstance()));
    }

    /** The error that a stream ends with. */
    static <A> Throwable ended(Function<StreamObserver<A>, StreamObserver<?>> call) throws Exception {
        CompletableFuture<Throwable> ended = new CompletableFuture<>();
        StreamObserver<?> requests = call.apply(new StreamObserver<>() {
            @Override
            public void onNext(A answer) {}

            @Override
            public void onError(Throwable error) {
                ended.complete(error);
            }

            @Override
            public void onCompleted() {
                ended.complete(null);
            }
        });
        Throwable error = ended.get(20, TimeUnit.SECONDS);
        assertThat(requests).isNotNull();
        return error;
    }
}
