package org.espalier.tokenizer;

import java.util.List;

/**
 * A byte-level BPE vocabulary: every token is a sequence of 256 symbols that stand for bytes, and merges are listed by rank.
 *
 * @param merges "left right", the first to be applied first
 */
record ByteLevelBpe(TokenTable tokens, List<String> merges, PreTokenizer preTokenizer) {

    byte[] tokenizerJson() {
        return TokenizerJson.bpe(
                tokens,
                json -> {
                    preTokenizer.write(json);
                    json.writeFieldName("decoder");
                    PreTokenizer.writeByteLevel(json);
                },
                json -> {
                    json.writeNullField("unk_token");
                    json.writeBooleanField("fuse_unk", false);
                    json.writeBooleanField("byte_fallback", false);
                    json.writeBooleanField("ignore_merges", preTokenizer.ignoresMerges());
                    json.writeArrayFieldStart("merges");
                    for (String merge : merges) {
                        json.writeString(merge);
                    }
                    json.writeEndArray();
                });
    }
}
