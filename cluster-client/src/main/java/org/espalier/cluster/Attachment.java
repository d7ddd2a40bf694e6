package org.espalier.cluster;

import io.grpc.stub.StreamObserver;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.espalier.DaemonThreads;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;

/** The stream that keeps a client's sessions alive, and tells it when the head is lost. */
final class Attachment implements StreamObserver<AttachPong>, AutoCloseable {

    private static final long TICK_MILLIS = 250;

    /** After 1.5 s without an answer the head is lost, as nodes are for each other. A closed connection is noticed at once; this is for a machine that vanished. */
    private static final int SILENT_TICKS = 5;

    private final ClusterNode head;
    private final AttachPing ping;
    private final Consumer<ClusterException> lost;
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(new DaemonThreads("espalier-attach"));
    private final StreamObserver<AttachPing> pings;
    private volatile int silentTicks;
    private volatile boolean ended;

    /** @param lost told once: that the head no longer answers, or why it ended the stream */
    Attachment(ClusterNode head, String client, String deployment, Consumer<ClusterException> lost) {
        this.head = head;
        this.ping = AttachPing.newBuilder()
                .setClient(client)
                .setDeployment(deployment)
                .build();
        this.lost = lost;
        this.pings = head.calls().attach(this);
        try {
            clock.scheduleWithFixedDelay(this::tick, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the head refused the stream before its first ping: that has been reported as lost
        }
    }

    private void tick() {
        if (!ended) {
            pings.onNext(ping);
            if (++silentTicks > SILENT_TICKS) {
                end(head.lost("it has been silent for 1.5 s"));
            }
        }
    }

    @Override
    public void onNext(AttachPong pong) {
        silentTicks = 0;
    }

    @Override
    public void onError(Throwable error) {
        end(head.ended(error));
    }

    @Override
    public void onCompleted() {
        end(head.lost("it was shut down"));
    }

    private void end(ClusterException failure) {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
        }
        clock.shutdown();
        lost.accept(failure);
    }

    /** Whether the head still answers. */
    boolean isAlive() {
        return !ended;
    }

    @Override
    public void close() {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
        }
        clock.shutdownNow();
        pings.onCompleted();
    }
}
