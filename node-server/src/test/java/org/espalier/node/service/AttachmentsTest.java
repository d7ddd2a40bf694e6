package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client that only pings has no more of a node than one that uses it. */
@Timeout(30)
class AttachmentsTest {

    private static final Duration SOON = Duration.ofSeconds(20);

    @Test
    void pingsAreTakenAtThePaceOfTheClockAndAnsweredToWhoReads() throws Exception {
        Call call = new Call();
        try (TickClock clock = new TickClock()) {
            Attachments attachments = new Attachments("n0", clock);
            StreamObserver<AttachPing> pings = attachments.attach(call);
            assertThat(call.requested).hasValue(8);
            for (int i = 0; i < 8; i++) {
                pings.onNext(AttachPing.newBuilder()
                        .setClient("c")
                        .setDeployment("d")
                        .build());
            }
            assertThat(call.pongs).hasValue(8);
            assertThat(attachments.of("d")).containsExactly("c");
            FakeRing.eventually(SOON, () -> call.requested.get() == 16);
            call.reads = false;
            for (int i = 0; i < 3; i++) {
                pings.onNext(AttachPing.getDefaultInstance());
            }
            assertThat(call.pongs).hasValue(8);
            FakeRing.eventually(SOON, () -> call.requested.get() == 19);
            call.reads = true;
            pings.onNext(AttachPing.getDefaultInstance());
            assertThat(call.pongs).hasValue(9);
            pings.onCompleted();
            assertThat(attachments.of("d")).isEmpty();
        }
    }

    private static final class Call extends ServerCallStreamObserver<AttachPong> {
        private final AtomicInteger requested = new AtomicInteger();
        private final AtomicInteger pongs = new AtomicInteger();
        private volatile boolean reads = true;
        private boolean automatic = true;

        @Override
        public void disableAutoRequest() {
            automatic = false;
        }

        @Override
        public void request(int count) {
            assertThat(automatic).isFalse();
            requested.addAndGet(count);
        }

        @Override
        public boolean isReady() {
            return reads;
        }

        @Override
        public void onNext(AttachPong pong) {
            pongs.incrementAndGet();
        }

        @Override
        public void onError(Throwable error) {
            throw new AssertionError(error);
        }

        @Override
        public void onCompleted() {}

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void setMessageCompression(boolean enable) {}
    }
}
