package org.espalier.node.service;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.ModelOnDisk;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which models a node has on disk, looked for each time it is asked. On a thread of its own, since a share may not answer: meanwhile what was
 * found before is told.
 */
final class ModelsOnDisk {

    private static final Logger LOG = LoggerFactory.getLogger(ModelsOnDisk.class);
    private static final DaemonThreads THREADS = new DaemonThreads("espalier-models");
    private static final int MOST = 50;
    private static final long WAIT_MILLIS = 500;

    private final Supplier<SortedMap<String, Long>> look;
    private volatile SortedMap<String, Long> found = Collections.emptySortedMap();
    private CompletableFuture<Void> looking;

    ModelsOnDisk(Supplier<SortedMap<String, Long>> look) {
        this.look = look;
    }

    /** The first of them by name, and how many there are beyond. */
    void describe(DescribeReply.Builder reply) {
        try {
            looking().get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // what was found before
        } catch (ExecutionException e) {
            LOG.warn("cannot look for models on disk", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        SortedMap<String, Long> now = found;
        List<ModelOnDisk> listed = now.entrySet().stream()
                .limit(MOST)
                .map(model -> ModelOnDisk.newBuilder()
                        .setName(model.getKey())
                        .setBytes(model.getValue())
                        .build())
                .toList();
        reply.addAllModels(listed).setFurtherModels(now.size() - listed.size());
    }

    /** One looks for all who ask. */
    private synchronized CompletableFuture<Void> looking() {
        if (looking == null || looking.isDone()) {
            looking = CompletableFuture.runAsync(
                    () -> found = look.get(), work -> THREADS.newThread(work).start());
        }
        return looking;
    }
}
