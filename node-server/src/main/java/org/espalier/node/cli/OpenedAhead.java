package org.espalier.node.cli;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.espalier.DaemonThreads;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.bench.BenchProgram;
import org.espalier.program.Program;

/**
 * A model with its program, opened while picocli is still reading the command: each takes about as long, and a start has both to do.
 *
 * @param program all of the model's layers
 */
record OpenedAhead(Model model, Program program) {

    private static final String OPTION = "--model";

    private static String named;
    private static CompletableFuture<OpenedAhead> opening;

    /** Of the model that the arguments name; where they name none there is nothing to do. */
    static synchronized void begin(List<String> arguments) {
        Optional<String> name = model(arguments);
        if (name.isEmpty()) {
            return;
        }
        CompletableFuture<OpenedAhead> begun = new CompletableFuture<>();
        new DaemonThreads("model-ahead")
                .newThread(() -> {
                    try {
                        begun.complete(opened(name.get()));
                    } catch (RuntimeException | Error e) {
                        begun.completeExceptionally(e);
                    }
                })
                .start();
        named = name.get();
        opening = begun;
    }

    /**
     * What was begun, if it is this model, or else opened now; for one caller.
     *
     * @throws org.espalier.EspalierException as {@link ModelCatalogue#open(String)} and {@link BenchProgram#of}
     */
    static synchronized OpenedAhead take(String name) {
        CompletableFuture<OpenedAhead> begun = opening;
        opening = null;
        if (begun == null || !name.equals(named)) {
            return opened(name);
        }
        try {
            return begun.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw (Error) e.getCause(); // nothing else is caught
        }
    }

    private static OpenedAhead opened(String name) {
        Model model = ModelCatalogue.ofThisMachine().open(name);
        try {
            return new OpenedAhead(model, BenchProgram.of(model, 0));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /** As picocli will find it: {@code --model NAME}, or {@code --model=NAME}. */
    private static Optional<String> model(List<String> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.startsWith(OPTION + "=")) {
                return Optional.of(argument.substring(OPTION.length() + 1));
            }
            if (argument.equals(OPTION) && i + 1 < arguments.size()) {
                return Optional.of(arguments.get(i + 1));
            }
        }
        return Optional.empty();
    }
}
