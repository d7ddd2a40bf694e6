package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** A model on disk: headers only, whole and checked against the files' lengths when opened. */
public interface Checkpoint {

    enum Layout {
        SAFETENSORS,
        MLX,
        GGUF
    }

    /** The directory, or the GGUF file. */
    Path path();

    Layout layout();

    /** The content of config.json; for GGUF the same keys, made from the metadata. */
    ObjectNode config();

    /**
     * All tensors by the published Hugging Face checkpoint's names: single experts also where the file stacks them. The MLA halves {@code
     * self_attn.embed_q} [H, rank, nope] and {@code self_attn.unembed_out} [H, value, rank] keep MLX's names.
     */
    Set<String> names();

    default boolean has(String name) {
        return names().contains(name);
    }

    /** @throws CheckpointException naming the tensor if there is none */
    Tensor tensor(String name);

    /** Which two dimensions of a query rotate together in this file, where the architecture says {@code published}. */
    RopePairing ropePairing(RopePairing published);

    /** Bytes of all tensors, each once. */
    long bytes();

    /** The key-value pairs of a GGUF file, the tokenizer's among them; empty for the other layouts. */
    default Map<String, Object> metadata() {
        return Map.of();
    }

    enum RopePairing {
        HALF,
        INTERLEAVED
    }

    /**
     * Opens a directory with config.json and safetensors (Hugging Face or MLX), or a .gguf file.
     *
     * @param dialects of the GGUF files that are read
     * @throws CheckpointException if the path is neither, or a file is missing, cut off or malformed
     */
    static Checkpoint open(Path path, GgufDialects dialects) {
        return Layouts.open(path, dialects);
    }
}
