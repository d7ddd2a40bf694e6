package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a text is split before byte pairs are merged. A GGUF file only names the rule ({@code tokenizer.ggml.pre}); the rules themselves
 * are those of the models' published {@code tokenizer.json} files. A new model family adds one constant.
 */
enum PreTokenizer {
    /** GPT-2's rule, which the byte-level step has built in. */
    GPT2(List.of("default", "gpt-2"), List.of()),

    /** Numbers digit by digit, then GPT-2's rule. */
    SMOLLM(List.of("smollm"), List.of("\\p{N}")),

    LLAMA3(List.of("llama-bpe"), List.of(Words.upToDigits("{1,3}"))),

    QWEN2(List.of("qwen2"), List.of(Words.upToDigits(""))),

    /** Newlines, cased words, punctuation (also full-width), spaces at the end, runs of Han and Hangul, digits. */
    DEEPSEEK_LLM(
            List.of("deepseek-llm"),
            List.of(
                    "[\\r\\n]",
                    "\\s?" + Words.CASED_LETTER + "+",
                    "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+",
                    "\\s+$",
                    "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+",
                    "\\p{N}")),

    DEEPSEEK_V3(
            List.of("deepseek-v3"),
            List.of("\\p{N}{1,3}", "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+", Words.DEEPSEEK_V3));

    private final List<String> names;
    private final List<String> splits;

    PreTokenizer(List<String> names, List<String> splits) {
        this.names = names;
        this.splits = splits;
    }

    /** @throws TokenizerException if no rule has this name */
    static PreTokenizer named(String name, String source) {
        for (PreTokenizer rule : values()) {
            if (rule.names.contains(name)) {
                return rule;
            }
        }
        String known =
                Arrays.stream(values()).flatMap(rule -> rule.names.stream()).collect(Collectors.joining(", "));
        throw new TokenizerException("tokenizer.ggml.pre of " + source + " is \"" + name + "\", known are " + known
                + ": use the safetensors checkpoint, whose tokenizer.json spells its rule out");
    }

    /** Llama 3 prompts start with BOS where the file does not say otherwise. */
    boolean addsBosByDefault() {
        return this == LLAMA3;
    }

    /** Llama 3 takes a piece that is a token as a whole without merging. */
    boolean ignoresMerges() {
        return this == LLAMA3;
    }

    /** Writes the fields {@code normalizer} and {@code pre_tokenizer}. */
    void write(JsonGenerator json) throws IOException {
        if (this == QWEN2) {
            json.writeObjectFieldStart("normalizer");
            json.writeStringField("type", "NFC");
            json.writeEndObject();
        } else {
            json.writeNullField("normalizer");
        }
        json.writeObjectFieldStart("pre_tokenizer");
        json.writeStringField("type", "Sequence");
        json.writeArrayFieldStart("pretokenizers");
        for (String regex : splits) {
            json.writeStartObject();
            json.writeStringField("type", "Split");
            json.writeObjectFieldStart("pattern");
            json.writeStringField("Regex", regex);
            json.writeEndObject();
            json.writeStringField("behavior", "Isolated");
            json.writeBooleanField("invert", false);
            json.writeEndObject();
        }
        writeByteLevel(json, this == GPT2 || this == SMOLLM);
        json.writeEndArray();
        json.writeEndObject();
    }

    /** The step from bytes to the 256 symbols that byte-level vocabularies are spelled in; as a decoder, the way back. */
    static void writeByteLevel(JsonGenerator json, boolean gpt2Splits) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", "ByteLevel");
        json.writeBooleanField("add_prefix_space", false);
        json.writeBooleanField("trim_offsets", true);
        json.writeBooleanField("use_regex", gpt2Splits);
        json.writeEndObject();
    }

    /** Patterns in the syntax of Oniguruma. */
    private static final class Words {
        private static final String SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

        /**
         * Letters with case, but for Armenian and Georgian small letters and blocks that Unicode got after or beside the list in the
         * published file.
         */
        static final String CASED_LETTER = "[[\\p{Lu}\\p{Ll}\\p{Lt}]&&[^"
                + "\\x{560}-\\x{588}\\x{10C7}-\\x{10FF}\\x{1C80}-\\x{1C8A}\\x{2D00}-\\x{2D2D}\\x{A790}-\\x{A7FF}"
                + "\\x{AB30}-\\x{AB68}\\x{10570}-\\x{105BC}\\x{10D50}-\\x{10D85}\\x{16E40}-\\x{16E7F}"
                + "\\x{1D400}-\\x{1D7CB}\\x{1DF00}-\\x{1DF2A}]]";

        static final String DEEPSEEK_V3 = "[!-/:-@\\[-`{-~][A-Za-z]+" // ASCII punctuation and the word after it
                + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + SPACES;

        /** English contractions, words with one character before, numbers, other signs, spaces. */
        static String upToDigits(String digits) {
            return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + digits
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" + SPACES;
        }
    }
}
