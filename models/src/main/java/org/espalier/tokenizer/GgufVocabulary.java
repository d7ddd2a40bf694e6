package org.espalier.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.tokenizer.SentencePieceBpe.SpacePrefix;

/**
 * The vocabulary that a GGUF file carries ({@code tokenizer.ggml.*}, <a
 * href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format document</a>), written as the {@code tokenizer.json} that it
 * was converted from. Two kinds: {@code gpt2}, byte-level BPE, and {@code llama}, SentencePiece.
 */
final class GgufVocabulary {

    /** What a file of kind {@code llama} means where it names no id. */
    private static final long LLAMA_BOS = 1;

    private static final long LLAMA_EOS = 2;

    private final Map<String, ?> metadata;
    private final String source;
    private final boolean sentencePiece;
    private final TokenTable tokens;
    private final Optional<PreTokenizer> preTokenizer;

    /** @throws TokenizerException if the vocabulary is of another kind, its splitting rule is unknown or its lists do not fit */
    GgufVocabulary(Map<String, ?> metadata, String source) {
        this.metadata = metadata;
        this.source = source;
        String model = text("tokenizer.ggml.model").orElseThrow(() -> missing("tokenizer.ggml.model"));
        this.sentencePiece = model.equals("llama");
        if (!sentencePiece && !model.equals("gpt2")) {
            throw new TokenizerException(
                    source + " has a tokenizer of kind \"" + model
                            + "\", known are gpt2 (byte-level BPE) and llama (SentencePiece BPE): use the safetensors checkpoint, which has a tokenizer.json");
        }
        this.tokens = tokens();
        this.preTokenizer = sentencePiece
                ? Optional.empty()
                : Optional.of(PreTokenizer.named(text("tokenizer.ggml.pre").orElse("default"), source));
    }

    TokenizerConfig config() {
        boolean addBos = flag("tokenizer.ggml.add_bos_token")
                .orElse(preTokenizer.map(PreTokenizer::addsBosByDefault).orElse(true));
        return new TokenizerConfig(
                addBos,
                token("tokenizer.ggml.bos_token_id", LLAMA_BOS),
                token("tokenizer.ggml.eos_token_id", LLAMA_EOS),
                text("tokenizer.chat_template"));
    }

    byte[] tokenizerJson() {
        tokens.ids(source);
        if (preTokenizer.isPresent()) {
            List<String> merges = list("tokenizer.ggml.merges").orElse(List.of()).stream()
                    .map(String::valueOf)
                    .toList();
            return new ByteLevelBpe(tokens, merges, preTokenizer.get()).tokenizerJson();
        }
        SpacePrefix prefix =
                flag("tokenizer.ggml.add_space_prefix").orElse(true) ? SpacePrefix.EVERY_SEGMENT : SpacePrefix.NEVER;
        return new SentencePieceBpe(tokens, scores(), prefix, source).tokenizerJson();
    }

    private TokenTable tokens() {
        List<?> listed = list("tokenizer.ggml.tokens").orElseThrow(() -> missing("tokenizer.ggml.tokens"));
        List<?> listedTypes = list("tokenizer.ggml.token_type").orElse(List.of());
        List<String> texts = new ArrayList<>(listed.size());
        int[] types = new int[listed.size()];
        for (int id = 0; id < types.length; id++) {
            if (!(listed.get(id) instanceof String text)) {
                throw new TokenizerException(
                        "token " + id + " of " + source + " is not a string: fetch the file again");
            }
            texts.add(text);
            types[id] = id < listedTypes.size() && listedTypes.get(id) instanceof Number type
                    ? type.intValue()
                    : TokenTable.NORMAL;
        }
        return new TokenTable(texts, types);
    }

    private float[] scores() {
        List<?> listed = list("tokenizer.ggml.scores").orElseThrow(() -> missing("tokenizer.ggml.scores"));
        if (listed.size() != tokens.size()) {
            throw new TokenizerException(source + " has " + tokens.size() + " tokens but " + listed.size()
                    + " tokenizer.ggml.scores: fetch the file again");
        }
        float[] scores = new float[listed.size()];
        for (int id = 0; id < scores.length; id++) {
            if (!(listed.get(id) instanceof Number score) || Float.isNaN(score.floatValue())) {
                throw new TokenizerException("the score of token " + id + " of " + source + " is " + listed.get(id)
                        + ", which is not a number: fetch the file again");
            }
            scores[id] = score.floatValue();
        }
        return scores;
    }

    private Optional<String> token(String key, long llamaDefault) {
        if (!(metadata.get(key) instanceof Number id)) {
            return sentencePiece && llamaDefault < tokens.size()
                    ? Optional.of(tokens.texts().get((int) llamaDefault))
                    : Optional.empty();
        }
        if (id.longValue() < 0 || id.longValue() >= tokens.size()) {
            throw new TokenizerException(key + " of " + source + " is " + id + ", the vocabulary has " + tokens.size()
                    + " tokens: fetch the file again");
        }
        return Optional.of(tokens.texts().get(id.intValue()));
    }

    private Optional<String> text(String key) {
        return Optional.ofNullable(metadata.get(key)).map(Object::toString);
    }

    private Optional<Boolean> flag(String key) {
        return metadata.get(key) instanceof Boolean flag ? Optional.of(flag) : Optional.empty();
    }

    private Optional<List<?>> list(String key) {
        return metadata.get(key) instanceof List<?> list ? Optional.of(list) : Optional.empty();
    }

    private TokenizerException missing(String key) {
        return new TokenizerException(
                source + " has no " + key + ": it carries no tokenizer; use a GGUF file with one");
    }
}
