package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * A SentencePiece vocabulary of the BPE kind (<a href="https://github.com/google/sentencepiece">Kudo and Richardson, 2018</a>): a text
 * is one sequence of characters in which U+2581 stands for a space; of all neighbours that form a token, those with the highest score
 * are joined first. Characters without a token become the tokens {@code <0x00>} to {@code <0xFF>} of their bytes.
 *
 * <p>The library knows no scores but a list of merges, so each token is listed with every pair of tokens that it may be made of, as
 * transformers' converter does. Pairs of one token have one score here and two places there; where both are possible at once, in
 * repetitions such as {@code aaaa}, the pair with the longer left part is joined first.
 *
 * @param scores one for each token
 */
record SentencePieceBpe(TokenTable tokens, float[] scores, SpacePrefix spacePrefix, String source) {

    /** SentencePiece's sign for a space. */
    private static final String SPACE = "\u2581";

    /** Published vocabularies have tokens of 16 or 48 characters at most; a text of this length is not one. */
    private static final int MAX_PIECE = 1024;

    /** Where a space is put that the text does not have. */
    enum SpacePrefix {
        NEVER,
        /** Before the text. */
        FIRST,
        /** Before the text and after each special token. */
        EVERY_SEGMENT
    }

    private record Merge(String left, String right, float score) {}

    byte[] tokenizerJson() {
        List<Merge> merges = merges();
        return TokenizerJson.bpe(tokens, this::writeSteps, json -> {
            String unknown = unknown();
            json.writeStringField("unk_token", unknown);
            json.writeBooleanField("fuse_unk", true);
            json.writeBooleanField("byte_fallback", true);
            json.writeBooleanField("ignore_merges", false);
            json.writeArrayFieldStart("merges");
            for (Merge merge : merges) {
                json.writeStartArray();
                json.writeString(merge.left());
                json.writeString(merge.right());
                json.writeEndArray();
            }
            json.writeEndArray();
        });
    }

    private String unknown() {
        for (int id = 0; id < tokens.size(); id++) {
            if (tokens.types()[id] == TokenTable.UNKNOWN) {
                return tokens.texts().get(id);
            }
        }
        return null;
    }

    private List<Merge> merges() {
        Map<String, Integer> ids = tokens.ids(source);
        ids.values().removeIf(id -> !mergeable(id));
        List<Merge> merges = new ArrayList<>(4 * tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            if (mergeable(id)) {
                addSplits(tokens.texts().get(id), scores[id], ids, merges);
            }
        }
        merges.sort(Comparator.<Merge>comparingDouble(merge -> -merge.score())
                .thenComparing(Comparator.<Merge>comparingInt(merge -> length(merge.left()))
                        .reversed())
                .thenComparing(Comparator.<Merge>comparingInt(merge -> length(merge.right()))
                        .reversed())
                .thenComparingInt(merge -> ids.get(merge.left())));
        return merges;
    }

    private void addSplits(String token, float score, Map<String, Integer> ids, List<Merge> merges) {
        if (token.length() > MAX_PIECE) {
            throw new TokenizerException("a token of " + source + " has " + token.length() + " characters, at most "
                    + MAX_PIECE + " can be: fetch the file again");
        }
        for (int cut = 1; cut < token.length(); cut++) {
            String left = token.substring(0, cut);
            String right = token.substring(cut);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                merges.add(new Merge(left, right, score));
            }
        }
    }

    private boolean mergeable(int id) {
        return tokens.types()[id] == TokenTable.NORMAL;
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    private void writeSteps(JsonGenerator json) throws IOException {
        writeNormalizer(json);
        writePreTokenizer(json);
        json.writeFieldName("decoder");
        TokenizerJson.writeStep(json, "Sequence", decoder -> {
            json.writeArrayFieldStart("decoders");
            writeReplace(json, SPACE, " ");
            TokenizerJson.writeStep(json, "ByteFallback", none -> {});
            TokenizerJson.writeStep(json, "Fuse", none -> {});
            if (spacePrefix != SpacePrefix.NEVER) {
                TokenizerJson.writeStep(json, "Strip", strip -> {
                    json.writeStringField("content", " ");
                    json.writeNumberField("start", 1);
                    json.writeNumberField("stop", 0);
                });
            }
            json.writeEndArray();
        });
    }

    private void writeNormalizer(JsonGenerator json) throws IOException {
        json.writeFieldName("normalizer");
        TokenizerJson.writeStep(json, "Sequence", sequence -> {
            json.writeArrayFieldStart("normalizers");
            if (spacePrefix == SpacePrefix.EVERY_SEGMENT) {
                TokenizerJson.writeStep(json, "Prepend", prepend -> json.writeStringField("prepend", SPACE));
            }
            writeReplace(json, " ", SPACE);
            json.writeEndArray();
        });
    }

    private void writePreTokenizer(JsonGenerator json) throws IOException {
        if (spacePrefix != SpacePrefix.FIRST) {
            json.writeNullField("pre_tokenizer");
            return;
        }
        json.writeFieldName("pre_tokenizer");
        TokenizerJson.writeStep(json, "Metaspace", metaspace -> {
            json.writeStringField("replacement", SPACE);
            json.writeStringField("prepend_scheme", "first");
            json.writeBooleanField("split", false);
        });
    }

    private static void writeReplace(JsonGenerator json, String from, String to) throws IOException {
        TokenizerJson.writeStep(json, "Replace", replace -> {
            json.writeObjectFieldStart("pattern");
            json.writeStringField("String", from);
            json.writeEndObject();
            json.writeStringField("content", to);
        });
    }
}
