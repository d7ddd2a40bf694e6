package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** GGUF's architecture {@code qwen3}. */
final class GgufQwen3 implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense().withHeadNorms();

    @Override
    public String name() {
        return "qwen3";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        return new GgufConfig(file, "qwen3")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .finish();
    }
}
