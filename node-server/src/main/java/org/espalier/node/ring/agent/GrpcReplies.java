package org.espalier.node.ring.agent;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.Replies;
import org.espalier.v1.GenerateReply;

/** The replies to a Generate call. Any thread may end it; what comes after the end is dropped. */
public final class GrpcReplies implements Replies {

    private final StreamObserver<GenerateReply> call;
    private volatile Runnable whenReady = () -> {};
    private long unread;
    private boolean over;

    /** @param call which takes whatever it is given at once, unless it is a call's own observer as it was handed out when the call began */
    public GrpcReplies(StreamObserver<GenerateReply> call) {
        this.call = call;
        if (call instanceof ServerCallStreamObserver<?> server) {
            server.setOnReadyHandler(() -> whenReady.run());
        }
    }

    /** @param handler called when the client takes replies again */
    void onReady(Runnable handler) {
        whenReady = handler;
    }

    @Override
    public synchronized void next(GenerateReply reply) {
        if (over) {
            return;
        }
        unread = isReady() ? 0 : unread + reply.getSerializedSize();
        call.onNext(reply);
    }

    /** Whether less than gRPC's threshold (32 KiB) is waiting to be taken. */
    private boolean isReady() {
        return !(call instanceof ServerCallStreamObserver<?> server) || server.isReady();
    }

    @Override
    public synchronized void finish() {
        if (!over) {
            over = true;
            call.onCompleted();
        }
    }

    @Override
    public synchronized void fail(Failure why) {
        if (!over) {
            StatusRuntimeException status = FailureStatus.of(why);
            over = true;
            call.onError(status);
        }
    }

    @Override
    public synchronized long unreadBytes() {
        return isReady() ? 0 : unread;
    }
}
