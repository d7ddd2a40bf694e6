package org.espalier.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.architecture.Architecture;
import org.espalier.architecture.Architectures;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.JsonFile;
import org.espalier.config.ConfigException;
import org.espalier.tokenizer.Tokenizer;

/** A model as its files describe it: checkpoint headers, strict config, and the tokenizer, which is opened when first asked for. */
public final class Model implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Architecture architecture;
    /** Opened once somebody asks, without holding a lock; null before that. */
    private CompletableFuture<Optional<Tokenizer>> tokenizer;

    private boolean closed;

    private Model(Checkpoint checkpoint, Architecture architecture) {
        this.checkpoint = checkpoint;
        this.architecture = architecture;
    }

    /**
     * Reads headers and config. End-of-sequence ids of {@code generation_config.json} are added to the config's.
     *
     * @param path a directory with config.json and safetensors, or a .gguf file
     * @throws org.espalier.checkpoint.CheckpointException if the files are not what they should be
     * @throws ConfigException if the config asks for something that is not supported
     */
    public static Model open(Path path) {
        Checkpoint checkpoint = Checkpoint.open(path, Architectures.gguf());
        ObjectNode json = checkpoint.config();
        addEndOfSequence(json, path.resolve("generation_config.json"));
        try {
            return new Model(checkpoint, Architectures.read(json));
        } catch (ConfigException e) {
            String file = Files.isDirectory(path) ? path.resolve("config.json").toString() : path.toString();
            throw new ConfigException(file + ": " + e.getMessage(), e);
        }
    }

    private static void addEndOfSequence(ObjectNode json, Path generationConfig) {
        if (!Files.exists(generationConfig)) {
            return;
        }
        JsonNode more = JsonFile.read(generationConfig).path("eos_token_id");
        if (more.isMissingNode() || more.isNull()) {
            return;
        }
        Set<JsonNode> ids = new LinkedHashSet<>();
        for (JsonNode part : List.of(json.path("eos_token_id"), more)) {
            if (part.isArray()) {
                part.forEach(ids::add);
            } else if (part.isNumber()) {
                ids.add(part);
            }
        }
        ArrayNode merged = json.putArray("eos_token_id");
        ids.forEach(merged::add);
    }

    public Checkpoint checkpoint() {
        return checkpoint;
    }

    public Architecture architecture() {
        return architecture;
    }

    /** The name for people: the hub's {@code org/name}, with the file's name for a GGUF file; otherwise the name of the file or directory. */
    public String name() {
        return ModelName.of(path());
    }

    /**
     * Identifies the model on any machine. Reads the index or the headers, and the config, again.
     *
     * @throws org.espalier.checkpoint.CheckpointException if the files are not what they were
     */
    public ModelIdentity identity() {
        return ModelIdentity.of(path());
    }

    /** The directory, or the GGUF file. */
    public Path path() {
        return checkpoint.path();
    }

    /**
     * The tokenizer; empty if the files have none. Waits as long as these take to answer, unless the thread is interrupted.
     *
     * @throws org.espalier.tokenizer.TokenizerException if they have one that cannot be read
     * @throws EspalierException if the model is closed: nobody would close a tokenizer that is opened then; or on interruption
     */
    public Optional<Tokenizer> tokenizer() {
        try {
            return openTokenizer().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EspalierException("interrupted while the tokenizer of model " + name() + " was opened", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        }
    }

    /**
     * Opens the tokenizer on a thread of its own, one for all who ask meanwhile: files on a share that does not answer hold up that alone.
     *
     * @return of the caller's own; completes with what {@link #tokenizer} returns, exceptionally with what it throws
     */
    public CompletableFuture<Optional<Tokenizer>> openTokenizer() {
        CompletableFuture<Optional<Tokenizer>> mine = new CompletableFuture<>();
        CompletableFuture<Optional<Tokenizer>> shared;
        synchronized (this) {
            requireOpen();
            tokenizer = tokenizer == null ? mine : tokenizer;
            shared = tokenizer;
        }
        if (shared == mine) {
            startOpening(mine);
        }
        return shared.thenApply(opened -> {
            synchronized (this) {
                requireOpen(); // it may have been closed meanwhile, and the tokenizer with it
            }
            return opened;
        });
    }

    private void startOpening(CompletableFuture<Optional<Tokenizer>> opening) {
        try {
            new DaemonThreads("espalier-tokenizer")
                    .newThread(() -> open(opening))
                    .start();
        } catch (Error noThread) {
            forget();
            opening.completeExceptionally(noThread);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new EspalierException(
                    "model " + name() + " is closed, so its tokenizer cannot be used: open it again");
        }
    }

    /** Where there is none, or none that can be read, the next who asks looks again: it may have been added. */
    private void open(CompletableFuture<Optional<Tokenizer>> opening) {
        try {
            Optional<Tokenizer> opened = readTokenizer();
            if (opened.isEmpty()) {
                forget();
            }
            opening.complete(opened);
        } catch (RuntimeException | Error e) {
            forget();
            opening.completeExceptionally(e);
        }
    }

    private synchronized void forget() {
        tokenizer = null;
    }

    /** The Jinja text of the chat template; empty if the files have none. */
    public Optional<String> chatTemplate() {
        return tokenizer().flatMap(Tokenizer::chatTemplate);
    }

    private Optional<Tokenizer> readTokenizer() {
        if (checkpoint.layout() == Checkpoint.Layout.GGUF) {
            return checkpoint.metadata().containsKey("tokenizer.ggml.tokens")
                    ? Optional.of(Tokenizer.ofGguf(checkpoint.metadata(), path().toString()))
                    : Optional.empty();
        }
        return Tokenizer.isIn(path()) ? Optional.of(Tokenizer.ofDirectory(path())) : Optional.empty();
    }

    /** Frees the tokenizer; one that is still being opened, once it is. */
    @Override
    public void close() {
        CompletableFuture<Optional<Tokenizer>> last;
        synchronized (this) {
            last = closed ? null : tokenizer;
            closed = true;
        }
        if (last != null) {
            last.thenAccept(opened -> opened.ifPresent(Tokenizer::close));
        }
    }
}
