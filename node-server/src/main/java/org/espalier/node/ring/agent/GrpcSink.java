package org.espalier.node.ring.agent;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.node.ring.FrameSink;
import org.espalier.v1.Frame;

/**
 * The sending half of a link.
 *
 * @param channel closed with it; null where the peer has dialled
 */
record GrpcSink(StreamObserver<Frame> out, ManagedChannel channel) implements FrameSink {

    /** How long a broken link's last frame may take; a peer that answers nothing would keep the connection for ever. */
    private static final long WRITE_SECONDS = 1;

    @Override
    public void send(Frame frame) {
        out.onNext(frame);
    }

    @Override
    public void end() {
        out.onCompleted();
        if (channel != null) {
            channel.shutdown();
            CompletableFuture.delayedExecutor(WRITE_SECONDS, TimeUnit.SECONDS).execute(channel::shutdownNow);
        }
    }

    @Override
    public void drop() {
        if (channel != null) {
            channel.shutdownNow();
        }
    }
}
