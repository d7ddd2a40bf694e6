package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.program.Rope;
import org.espalier.weights.Weight;

/** A model's files, whatever their layout: answers where each weight lies. Opening it reads the headers and checks them against the files' lengths;
 * the weights themselves are never read. */
public interface Checkpoint {

    /** How the weights are stored. */
    enum Layout {
        SAFETENSORS,
        MLX,
        GGUF
    }

    /** The directory, or the GGUF file. */
    Path path();

    Layout layout();

    /** The content of config.json, of a multimodal one the text part; for GGUF the same keys, derived from the metadata. */
    ObjectNode config();

    /**
     * All weights by the names that published Hugging Face checkpoints of text give them, with these exceptions, the same in all layouts:
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
     * their own as a list of matrices.
     *
     * @throws CheckpointException naming the tensor if it is missing or of a type that is not supported
     */
    Weight weight(String name);

    /** Which two dimensions of a query rotate together in this file, if they are {@code published} in the published checkpoint. */
    Rope.Pairing ropePairing(Rope.Pairing published);

    /** The tensors of the files, those of other parts than text too; not such as repeat what headers say. */
    List<StoredTensor> tensors();

    /**
     * A tensor as the files have it.
     *
     * @param name its own, which may differ from the published one
     * @param begin of its bytes in the file
     * @param bytes 0 if its type is unknown
     */
    record StoredTensor(String name, Path file, long begin, long bytes) {}

    /** Bytes of all tensors, each counted once. */
    default long bytes() {
        return tensors().stream().mapToLong(StoredTensor::bytes).sum();
    }

    /** The key-value pairs of a GGUF file, the tokenizer's among them; empty for the other layouts. */
    default Map<String, Object> metadata() {
        return Map.of();
    }

    /**
     * Opens a directory with config.json and safetensors (Hugging Face or MLX), or a .gguf file.
     *
     * @param dialects of GGUF that can be read
     * @throws CheckpointException if the path is neither, or a file is missing, cut off or malformed
     */
    static Checkpoint open(Path path, GgufDialects dialects) {
        return Layouts.open(path, dialects);
    }
}
