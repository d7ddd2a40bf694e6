package org.espalier.node.service;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;

/** Which clients use which deployment: one stream each, on which it pings all the time. A stream that breaks or falls silent ends the client's sessions. */
final class Attachments {

    /** After 12 ticks of 0.5 s without a ping the client is lost: well within the 10 s that its sessions may outlive it. */
    private static final int SILENT_TICKS = 12;

    /** Pings that a client may send a tick; what is more waits at the client. */
    private static final int PINGS = 8;

    private final Set<Attachment> open = ConcurrentHashMap.newKeySet();
    private final String node;
    private final Names names;
    private final TickClock clock;
    private volatile BiConsumer<AttachPing, String> gone = (client, connection) -> {};

    Attachments(String node, TickClock clock) {
        this.node = node;
        this.names = new Names(node);
        this.clock = clock;
    }

    /** @param listener told of a client and its connection once it has no stream left on that for its deployment */
    void onGone(BiConsumer<AttachPing, String> listener) {
        gone = listener;
    }

    /** The attached clients of a deployment, by name. */
    Set<String> of(String deployment) {
        Set<String> clients = new TreeSet<>();
        for (Attachment attachment : open) {
            AttachPing hello = attachment.hello;
            if (hello != null && hello.getDeployment().equals(deployment)) {
                clients.add(hello.getClient());
            }
        }
        return clients;
    }

    StreamObserver<AttachPing> attach(ServerCallStreamObserver<AttachPong> replies) {
        Attachment attachment = new Attachment(replies);
        replies.setOnCancelHandler(attachment::end);
        replies.disableAutoRequest();
        replies.request(PINGS);
        open.add(attachment);
        clock.each(attachment::tick);
        return attachment;
    }

    private final class Attachment implements StreamObserver<AttachPing> {
        private final ServerCallStreamObserver<AttachPong> replies;
        private final String connection = ClientConnection.current();
        private volatile AttachPing hello;
        private volatile int silentTicks;
        private final AtomicInteger pings = new AtomicInteger();

        private Attachment(ServerCallStreamObserver<AttachPong> replies) {
            this.replies = replies;
        }

        @Override
        public void onNext(AttachPing ping) {
            silentTicks = 0;
            pings.incrementAndGet();
            if (hello == null && !greet(ping)) {
                return;
            }
            synchronized (this) {
                if (open.contains(this) && replies.isReady()) { // to a client that reads none, none are kept
                    replies.onNext(AttachPong.getDefaultInstance());
                }
            }
        }

        private boolean greet(AttachPing ping) {
            try {
                names.check("the client's name", ping.getClient());
                names.check("the deployment's id", ping.getDeployment());
                hello = ping;
                return true;
            } catch (FailureException e) {
                fail(e.failure());
                return false;
            }
        }

        /** What comes after that is not heard. */
        private void fail(Failure why) {
            synchronized (this) {
                if (open.contains(this)) {
                    end();
                    replies.onError(FailureStatus.of(why));
                }
            }
        }

        @Override
        public void onError(Throwable error) {
            end();
        }

        @Override
        public void onCompleted() {
            end();
            synchronized (this) {
                replies.onCompleted();
            }
        }

        private boolean tick() {
            silentTicks++;
            int taken = pings.getAndSet(0);
            if (taken > 0) {
                replies.request(taken);
            }
            if (silentTicks > SILENT_TICKS) {
                fail(new Failure(node, Failure.Kind.TIMED_OUT, "node " + node + " had no ping for 6 s"));
            }
            return open.contains(this);
        }

        private void end() {
            AttachPing last = hello;
            if (open.remove(this) && last != null && open.stream().noneMatch(this::isAsWell)) {
                gone.accept(last, connection);
            }
        }

        private boolean isAsWell(Attachment other) {
            return other.connection.equals(connection)
                    && other.hello != null
                    && other.hello.getClient().equals(hello.getClient())
                    && other.hello.getDeployment().equals(hello.getDeployment());
        }
    }
}
