package org.espalier.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/** How the native tokenizers library is opened: never cutting, never padding, never asking the network. */
final class TokenizersLibrary {

    /**
     * The library's own default cuts every text at 512 ids, silently, whatever the file says; so both are always switched off by name.
     */
    private static final Map<String, String> WHOLE_TEXTS = Map.of("truncation", "false", "padding", "false");

    static {
        // Read once by the binding: no usage report, and the CPU library from the jar also where a GPU is found (whose
        // build is a
        // download). What the user has set stays.
        setIfAbsent("OPT_OUT_TRACKING", "true");
        setIfAbsent("RUST_FLAVOR", "cpu");
    }

    private TokenizersLibrary() {}

    static HuggingFaceTokenizer open(byte[] tokenizerJson, String source) {
        try {
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(tokenizerJson), WHOLE_TEXTS);
        } catch (LinkageError e) {
            throw new TokenizerException(
                    "the tokenizers library does not load on " + System.getProperty("os.name") + " "
                            + System.getProperty("os.arch") + " (" + e.getMessage()
                            + "): use macOS on Apple silicon, Linux or 64-bit Windows",
                    e);
        } catch (IOException | RuntimeException e) {
            throw new TokenizerException(
                    source + " is not a tokenizer that can be used: " + e.getMessage()
                            + "; fetch it again from the published checkpoint",
                    e);
        }
    }

    private static void setIfAbsent(String name, String value) {
        if (System.getenv(name) == null && System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }
}
