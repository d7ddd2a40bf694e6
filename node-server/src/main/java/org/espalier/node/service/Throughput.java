package org.espalier.node.service;

import com.google.common.util.concurrent.MoreExecutors;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.RingGrpc.RingFutureStub;

/**
 * How many bytes a second another node takes: large messages, a few on their way at once so that the round trip does not count, until there were
 * enough of them or the time is over. The fastest stretch of eight counts: what comes before warms both JVMs up.
 */
final class Throughput {

    private static final int MESSAGES = 32;
    private static final int BYTES = 1 << 18;
    private static final int ON_THE_WAY = 4;

    /** A multiple of those on the way, or answers that come together would look like speed. */
    private static final int STRETCH = 2 * ON_THE_WAY;

    static final long MOST_BYTES = (long) MESSAGES * BYTES;

    private final RingFutureStub node;
    private final long end;
    private final Semaphore room = new Semaphore(ON_THE_WAY);
    private final List<Long> arrived = new ArrayList<>();

    /** @param end until when it may take, by the system's nanoTime */
    Throughput(RingFutureStub node, long end) {
        this.node = node;
        this.end = end;
    }

    /** 0 if nothing arrived in time. */
    long bytesPerSecond() {
        EchoRequest payload = EchoRequest.newBuilder()
                .setPayload(ByteString.copyFrom(new byte[BYTES]))
                .build();
        arrivedNow();
        try {
            for (int i = 0; i < MESSAGES && room.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS); i++) {
                var answer = node.withDeadlineAfter(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS)
                        .echo(payload);
                answer.addListener(
                        () -> {
                            if (succeeded(answer)) {
                                arrivedNow();
                            }
                            room.release();
                        },
                        MoreExecutors.directExecutor());
            }
            room.tryAcquire(ON_THE_WAY, end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (arrived) {
            return best(arrived);
        }
    }

    private static boolean succeeded(Future<?> answer) {
        try {
            answer.get();
            return true;
        } catch (ExecutionException e) {
            return false; // its time is over, or the connection: what has arrived counts
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void arrivedNow() {
        synchronized (arrived) {
            arrived.add(System.nanoTime());
        }
    }

    /** @param times of the begin and of each arrival, in nanoseconds */
    static long best(List<Long> times) {
        int stretch = Math.min(STRETCH, times.size() - 1);
        long least = Long.MAX_VALUE;
        for (int i = stretch; i < times.size(); i++) {
            least = Math.min(least, times.get(i) - times.get(i - stretch));
        }
        return (long) (stretch * (double) BYTES * 1e9 / Math.max(1, least));
    }
}
