package org.espalier.cluster;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.espalier.sampling.SamplingMessage;
import org.espalier.v1.GenerateRequest;

/** The generations of one cluster object: those that run, and the one that was started last. */
final class Generations {

    /** A generation and its result, once it has one. */
    private record Latest(GenerateCall call, Optional<Generation> generation) {
        private static final Latest NONE = new Latest(null, Optional.empty());
    }

    private final String client;
    private final Set<GenerateCall> running = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Latest> latest = new AtomicReference<>(Latest.NONE);

    Generations(String client) {
        this.client = client;
    }

    /** Starts one that {@link #last} gives once it has finished. */
    RunningGeneration startKept(Serving now, Prompt prompt, GenerateOptions options, GenerationListener listener) {
        return start(now, prompt, options, listener, call -> latest.set(new Latest(call, Optional.empty())));
    }

    /**
     * Starts one that leaves {@link #last} as it is.
     *
     * @param now released when the generation has ended, or did not start
     */
    RunningGeneration start(Serving now, Prompt prompt, GenerateOptions options, GenerationListener listener) {
        return start(now, prompt, options, listener, notKept -> {});
    }

    private RunningGeneration start(
            Serving now,
            Prompt prompt,
            GenerateOptions options,
            GenerationListener listener,
            Consumer<GenerateCall> whenMade) {
        boolean started = false;
        try {
            GenerateCall call = call(now, prompt, options, listener);
            running.add(call);
            whenMade.accept(call);
            if (now.connection().closed()) {
                call.giveUp(); // close() may have looked at the running calls before this one was added
            }
            call.start();
            started = true;
            return call;
        } finally {
            if (!started) {
                now.model().release();
            }
        }
    }

    private GenerateCall call(Serving now, Prompt prompt, GenerateOptions options, GenerationListener listener) {
        ClientModel model = now.model().model();
        GenerateRequest request = GenerateRequest.newBuilder()
                .setDeployment(now.deployment().id())
                .setEpoch(now.deployment().epoch())
                .setClient(client)
                .addAllPrompt(model.encode(prompt))
                .setMaxTokens(options.maxTokens())
                .setSampling(SamplingMessage.of(options.sampling()))
                .addAllStopTokens(options.ignoreEos() ? Set.of() : model.endOfSequence())
                .addAllStopStrings(options.stop())
                .setRouting(options.routing() && model.moe().isPresent())
                .setPromptLogits(options.promptLogits())
                .setPromptLogprobs(options.promptScore())
                .addAllEdits(Wire.edits(options))
                .build();
        GenerateCall[] self = new GenerateCall[1];
        self[0] = new GenerateCall(now.head(), request, prompt, model, listener, ended -> {
            running.remove(self[0]);
            latest.updateAndGet(newest -> newest.call == self[0] ? new Latest(self[0], ended) : newest);
            now.model().release();
        });
        return self[0];
    }

    /** The one that was started last; empty until it has finished, and once {@link #forget} was called. */
    Optional<Generation> last() {
        return latest.get().generation;
    }

    void forget() {
        latest.set(Latest.NONE);
    }

    void giveUp() {
        running.forEach(GenerateCall::giveUp);
    }

    /** @param why what those that run fail with */
    void lost(ClusterException why) {
        running.forEach(call -> call.lost(why));
    }
}
