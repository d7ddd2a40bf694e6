package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What one {@code general.architecture} of GGUF calls its tensors and metadata. A new architecture is one more file, and a line in
 * {@link #SERVED}.
 */
interface GgufArchitecture {

    List<GgufArchitecture> SERVED = List.of(
            new GgufDeepseek2(),
            new GgufGlm4Moe(),
            new GgufGptOss(),
            new GgufLlama(),
            new GgufOlmoe(),
            new GgufQwen2(),
            new GgufQwen2Moe(),
            new GgufQwen3(),
            new GgufQwen3Moe());

    /** Of {@code general.architecture}, which begins its metadata keys too. */
    String name();

    GgufNames names();

    /** The keys of config.json, made from the metadata. */
    ObjectNode config(GgufFile file);

    /** How the file's query and key rows are to be turned. */
    default Checkpoint.RopePairing ropePairing(Checkpoint.RopePairing published) {
        return published;
    }

    /** The published shape of a tensor: ggml's tools drop outer dimensions of 1 when they write a file anew. */
    default List<Integer> publishedShape(String published, List<Integer> stored) {
        return stored;
    }

    /** @throws CheckpointException naming the architecture if it is not served */
    static GgufArchitecture of(GgufFile file) {
        return named(file.text("general.architecture"), file.path().toString());
    }

    /** @param file for the error */
    static GgufArchitecture named(String name, String file) {
        return SERVED.stream()
                .filter(architecture -> architecture.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new CheckpointException(
                        file + " is of the GGUF architecture " + name + ", which is not served; served are: "
                                + SERVED.stream().map(GgufArchitecture::name).collect(Collectors.joining(", "))));
    }
}
