package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** What one {@code general.architecture} of GGUF calls its tensors and metadata. A new architecture is one more file. */
interface GgufArchitecture {

    /** The published name of a tensor; empty where the architecture has no use for it. */
    Optional<String> publishedName(String ggufName);

    /** The keys of config.json, made from the metadata. */
    ObjectNode config(GgufFile file);

    /** How the file's query and key rows are to be turned. */
    Checkpoint.RopePairing ropePairing(Checkpoint.RopePairing published);

    /** @throws CheckpointException naming the architecture if it is not served */
    static GgufArchitecture of(GgufFile file) {
        String name = file.text("general.architecture");
        if (name.equals("llama")) {
            return new GgufLlama();
        }
        throw new CheckpointException(
                file.path() + " is of the GGUF architecture " + name + ", which is not served; served are: llama");
    }
}
