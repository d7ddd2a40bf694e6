package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.failure.FailureException;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LinkProbesTest {

    private static final ProbeReply FAST = ProbeReply.newBuilder()
            .setRoundTripMicros(100)
            .setBytesPerSecond(1_000_000)
            .build();
    private static final ProbeReply CUT =
            ProbeReply.newBuilder().setUnreachable("no cable").build();

    private final AtomicInteger probed = new AtomicInteger();

    private static ProbeRequest to(String node) {
        return ProbeRequest.newBuilder()
                .setNode(node)
                .setAddress("tls://10.0.0.1:5")
                .build();
    }

    private LinkProbes answering(ProbeReply reply) {
        return new LinkProbes("a", request -> {
            probed.incrementAndGet();
            return reply;
        });
    }

    @Test
    void aWayIsMeasuredOnceAlsoForWhoeverAsksWhileItGenerates() {
        LinkProbes links = answering(FAST);
        assertThat(links.measure(to("b"), false)).isEqualTo(FAST);
        assertThat(links.measure(to("b"), false)).isEqualTo(FAST);
        assertThat(links.measure(to("b"), true)).isEqualTo(FAST);
        assertThat(links.measure(to("c"), true).getSkipped()).isEqualTo("node a generates");
        assertThat(probed).hasValue(1);
    }

    @Test
    void aWayThatIsCutIsMeasuredAgain() {
        LinkProbes links = answering(CUT);
        assertThat(links.measure(to("b"), false)).isEqualTo(CUT);
        assertThat(links.measure(to("b"), false)).isEqualTo(CUT);
        assertThat(probed).hasValue(2);
    }

    @Test
    void aWayThatWasSkippedIsMeasuredLater() {
        LinkProbes links = answering(LinkProbes.skipped("node b generates"));
        assertThat(links.measure(to("b"), false).getSkipped()).isEqualTo("node b generates");
        assertThat(links.measure(to("b"), false).getSkipped()).isEqualTo("node b generates");
        assertThat(probed).hasValue(2);
    }

    @Test
    void clientsThatConnectAtOnceShareAMeasurement() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        LinkProbes links = new LinkProbes("a", request -> {
            probed.incrementAndGet();
            begun.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return FAST;
        });
        List<CompletableFuture<ProbeReply>> replies = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            replies.add(CompletableFuture.supplyAsync(
                    () -> links.measure(to("b"), false), work -> new Thread(work).start()));
        }
        begun.await();
        goOn.countDown();
        for (CompletableFuture<ProbeReply> reply : replies) {
            assertThat(reply.get()).isEqualTo(FAST);
        }
        assertThat(probed).hasValue(1);
    }

    @Test
    void whatFailsLeavesNobodyWaitingAndIsForgotten() {
        LinkProbes links = new LinkProbes("a", request -> {
            if (probed.incrementAndGet() == 1) {
                throw new IllegalStateException("a defect");
            }
            return FAST;
        });
        assertThatThrownBy(() -> links.measure(to("b"), false)).hasMessage("a defect");
        assertThat(links.measure(to("b"), false)).isEqualTo(FAST);
    }

    @Test
    void aNodeDoesNotDialWithoutEndForItsClients() {
        LinkProbes links = answering(CUT);
        for (int i = 0; i < LinkProbes.MOST_A_MINUTE; i++) {
            links.measure(to("n" + i), false);
        }
        assertThatThrownBy(() -> links.measure(to("b"), false))
                .isInstanceOf(FailureException.class)
                .hasMessage(
                        "node a was asked to measure 64 ways within a minute, and measures no more until it is over");
        assertThat(probed).hasValue(64);
    }

    @Test
    void aNodeHasNoWayToItself() {
        assertThatThrownBy(() -> answering(FAST).measure(to("a"), false))
                .hasMessage("node a has no way to itself to measure");
        assertThat(probed).hasValue(0);
    }
}
