package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.espalier.program.Rope;

/**
 * What GGUF calls an architecture's tensors and metadata.
 *
 * @param name of {@code general.architecture}, which begins its metadata keys too
 * @param modelType Hugging Face's, for the config
 * @param reads which files of that name, where several architectures share it; exactly one reads each
 * @param names the published names of its tensors
 * @param keys makes those keys of config.json that not every decoder has
 * @param rope how rows of q and k rotate in the file; null if as published
 */
public record GgufDialect(
        String name,
        String modelType,
        Predicate<GgufFile> reads,
        GgufNames names,
        Consumer<GgufConfig> keys,
        Rope.Pairing rope) {

    /** A dialect with the names and keys of every dense decoder. */
    public static GgufDialect of(String name, String modelType) {
        return new GgufDialect(name, modelType, file -> true, GgufNames.dense(), GgufConfig::wholeHeads, null);
    }

    public GgufDialect onlyWhere(Predicate<GgufFile> holds) {
        return new GgufDialect(name, modelType, holds, names, keys, rope);
    }

    public GgufDialect tensors(GgufNames these) {
        return new GgufDialect(name, modelType, reads, these, keys, rope);
    }

    public GgufDialect metadata(Consumer<GgufConfig> these) {
        return new GgufDialect(name, modelType, reads, names, these, rope);
    }

    /** For files whose converter permutes the rows of q and k so that neighbours rotate together. */
    public GgufDialect interleaved() {
        return new GgufDialect(name, modelType, reads, names, keys, Rope.Pairing.INTERLEAVED);
    }

    /** The keys of config.json, made from the metadata. */
    ObjectNode config(GgufFile file) {
        GgufConfig config = new GgufConfig(file, modelType).decoder();
        keys.accept(config);
        return config.finish();
    }

    Rope.Pairing ropePairing(Rope.Pairing published) {
        return rope == null ? published : rope;
    }
}
