package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.v1.DescribeReply;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ModelsOnDiskTest {

    private static SortedMap<String, Long> models(int count) {
        SortedMap<String, Long> models = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            models.put(String.format("m%02d", i), 1000L + i);
        }
        return models;
    }

    private static DescribeReply described(ModelsOnDisk models) {
        DescribeReply.Builder reply = DescribeReply.newBuilder();
        models.describe(reply);
        return reply.build();
    }

    @Test
    void theFirstFiftyAreListedAndTheOthersCounted() {
        DescribeReply reply = described(new ModelsOnDisk(() -> models(63)));
        assertThat(reply.getModelsCount()).isEqualTo(50);
        assertThat(reply.getModels(49).getName()).isEqualTo("m49");
        assertThat(reply.getModels(49).getBytes()).isEqualTo(1049);
        assertThat(reply.getFurtherModels()).isEqualTo(13);
    }

    /** A share that does not answer: whoever asks hears what was found before, and one thread waits for it, not one for each. */
    @Test
    void aFolderThatDoesNotAnswerHoldsNobodyUp() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger looks = new AtomicInteger();
        ModelsOnDisk models = new ModelsOnDisk(() -> {
            if (looks.incrementAndGet() > 1) {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return models(2);
        });
        try {
            assertThat(described(models).getModelsCount()).isEqualTo(2);
            assertThat(described(models).getModelsCount()).isEqualTo(2);
            assertThat(described(models).getModelsCount()).isEqualTo(2);
            assertThat(looks).hasValue(2);
        } finally {
            never.countDown();
        }
    }

    @Test
    void whatFailsIsLogged() throws Exception {
        try (Logged log = new Logged("org.espalier.node.service")) {
            assertThat(described(new ModelsOnDisk(() -> {
                                throw new IllegalStateException("a folder of another world");
                            }))
                            .getModelsCount())
                    .isZero();
            log.await("cannot look for models on disk");
        }
    }
}
