package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.espalier.program.Rope;
import org.espalier.weights.Weight;

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
     * All weights by the names that published Hugging Face checkpoints give them, with these exceptions, alike in all layouts:
     *
     * <ul>
     *   <li>a layer's experts have one name, {@code mlp.experts.*.up_proj.weight}, Mixtral's and gpt-oss's too;
     *   <li>the MLA halves {@code self_attn.embed_q} [H, rank, nope] and {@code self_attn.unembed_out} [H, value, rank] keep MLX's names.
     * </ul>
     */
    Set<String> names();

    default boolean has(String name) {
        return names().contains(name);
    }

    /**
     * Where the weight lies: a vector [n] as one row of n columns, a stack [E, rows, columns] as it is in the file, experts that have tensors of
     * their own as a list.
     *
     * @throws CheckpointException naming the tensor if it is missing or of a type that is not supported
     */
    Weight weight(String name);

    /** Which two dimensions of a query rotate together in this file, where the architecture says {@code published}. */
    Rope.Pairing ropePairing(Rope.Pairing published);

    /** Bytes of all tensors, each once. */
    long bytes();

    /** The key-value pairs of a GGUF file, the tokenizer's among them; empty for the other layouts. */
    default Map<String, Object> metadata() {
        return Map.of();
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
