package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer as a stream of which every wait has an end: it fails when nothing comes for too long, and when its reader is
 * interrupted, whereas the stream of the JDK's client waits on. Read by one thread.
 */
final class HubBody extends InputStream implements HttpResponse.BodySubscriber<HubBody> {

    private static final Part END = new Part(List.of(), null);

    /** @param failure null unless the connection broke */
    private record Part(List<ByteBuffer> buffers, Throwable failure) {}

    private final Duration stall;
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>(); // one is asked for at a time
    private final Deque<ByteBuffer> here = new ArrayDeque<>();
    private Part last;

    private HubBody(Duration stall) {
        this.stall = stall;
    }

    /** @param stall the longest wait for more bytes */
    static HttpResponse.BodyHandler<HubBody> handler(Duration stall) {
        return headers -> new HubBody(stall);
    }

    @Override
    public CompletionStage<HubBody> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription subscribed) {
        if (subscription.complete(subscribed)) {
            subscribed.request(1);
        } else {
            subscribed.cancel();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        parts.add(new Part(buffers, null));
    }

    @Override
    public void onError(Throwable failure) {
        parts.add(new Part(List.of(), failure));
    }

    @Override
    public void onComplete() {
        parts.add(END);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** @throws InterruptedIOException if the thread is interrupted, which it stays */
    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (here.isEmpty()) {
            if (!more()) {
                return -1;
            }
        }
        ByteBuffer first = here.element();
        int count = Math.min(length, first.remaining());
        first.get(into, offset, count);
        if (!first.hasRemaining()) {
            here.remove();
        }
        return count;
    }

    /** Takes the next part; false at the end. */
    private boolean more() throws IOException {
        if (last == null) {
            Part part = await();
            part.buffers.stream().filter(ByteBuffer::hasRemaining).forEach(here::add);
            if (part == END || part.failure != null) {
                last = part;
            } else {
                subscription.join().request(1); // which has come before its part
            }
        }
        if (last != null && last.failure != null) {
            throw new IOException(last.failure.getMessage(), last.failure);
        }
        return last == null;
    }

    private Part await() throws IOException {
        try {
            Part part = parts.poll(stall.toNanos(), TimeUnit.NANOSECONDS);
            if (part != null) {
                return part;
            }
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        close();
        throw new IOException("nothing came for " + stall.toMillis() / 1000.0 + " s");
    }

    /** Ends the connection unless everything was read. */
    @Override
    public void close() {
        last = last == null ? new Part(List.of(), new IOException("closed")) : last;
        here.clear();
        if (!subscription.completeExceptionally(new IOException("closed"))
                && !subscription.isCompletedExceptionally()) {
            subscription.join().cancel();
        }
    }
}
