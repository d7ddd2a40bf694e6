package org.espalier.kernel.jupyter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class FairQueueTest {

    private final FairQueue queue = new FairQueue(4);

    private static Message request(String client, String code) {
        byte[] identity = client.getBytes(StandardCharsets.US_ASCII);
        return new Message(
                List.of(identity, code.getBytes(StandardCharsets.UTF_8)), // what a proxy adds makes no other client
                Message.object(),
                Message.object(),
                Message.object(),
                Message.object().put("code", code));
    }

    private String next() throws InterruptedException {
        return code(queue.take());
    }

    private static String code(Message request) {
        return request.content().path("code").asText();
    }

    /** Puts requests on a thread of its own and returns it when it waits. */
    private Thread heldUp(Message... requests) throws InterruptedException {
        Thread client = new Thread(() -> List.of(requests).forEach(queue::put));
        client.start();
        while (client.getState() != Thread.State.WAITING) {
            assertThat(client.isAlive()).isTrue();
            Thread.onSpinWait();
        }
        return client;
    }

    @Test
    void clientsTakeTurns() throws InterruptedException {
        for (String code : List.of("a1", "a2", "a3", "b1", "c1", "b2")) {
            queue.put(request(code.substring(0, 1), code));
        }
        assertThat(next()).isEqualTo("a1");
        queue.put(request("d", "d1"));
        assertThat(List.of(next(), next(), next(), next(), next(), next()))
                .containsExactly("b1", "c1", "a2", "d1", "b2", "a3");
    }

    @Test
    void whoHasMuchWaitingIsHeldUpAlone() throws InterruptedException {
        Thread eager =
                heldUp(request("a", "1"), request("a", "2"), request("a", "3"), request("a", "4"), request("a", "5"));
        queue.put(request("b", "at once"));
        eager.interrupt(); // as a notebook's code may do
        assertThat(List.of(next(), next())).containsExactly("1", "at once");
        eager.join();
        assertThat(List.of(next(), next(), next(), next())).containsExactly("2", "3", "4", "5");
    }

    @Test
    void whatWaitsIsBoundedInCharacters() throws InterruptedException {
        String large = "x".repeat((int) (FairQueue.CHARACTERS / 2));
        queue.put(request("a", large));
        Thread eager = heldUp(request("a", large));
        queue.put(request("b", large)); // one of each client is taken
        assertThat(next()).isSameAs(large);
        queue.take();
        eager.join();
        assertThat(next()).isSameAs(large);
    }

    @Test
    void allOfOneClientCanBeTaken() throws InterruptedException {
        queue.put(request("a", "a1"));
        queue.put(request("b", "b1"));
        Message failed = queue.take();
        Thread eager = heldUp(
                request("a", "a2"), request("a", "a3"), request("a", "a4"), request("a", "a5"), request("a", "a6"));
        assertThat(queue.takeAll(failed).stream().map(FairQueueTest::code)).containsExactly("a2", "a3", "a4", "a5");
        eager.join();
        assertThat(List.of(next(), next())).containsExactly("b1", "a6");
        assertThat(queue.takeAll(failed)).isEmpty();
    }
}
