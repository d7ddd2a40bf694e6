package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** GGUF's architecture {@code qwen2}. */
final class GgufQwen2 implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense();

    @Override
    public String name() {
        return "qwen2";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        return new GgufConfig(file, "qwen2")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .finish();
    }
}
