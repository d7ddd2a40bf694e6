package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How a text is split before byte pairs are merged. A GGUF file only names the rule ({@code tokenizer.ggml.pre}); the rules themselves
 * are those of the models' published {@code tokenizer.json} files, under the names that llama.cpp gave them. A new model family adds
 * one constant.
 */
enum PreTokenizer {
    /** For files that name none: punctuation, then GPT-2's rule, then numbers by threes. */
    DEFAULT(List.of("default"), List.of("[\\p{P}$+<=>^~|]+", Words.GPT2, "\\p{N}+", "[0-9]{3}"), Set.of()),

    GPT2(List.of("gpt-2", "phi-2", "mpt"), List.of(Words.GPT2), Set.of()),

    OLMO(List.of("olmo"), List.of(Words.GPT2), Set.of(Trait.COMPOSES)),

    /** Numbers digit by digit, then GPT-2's rule. */
    SMOLLM(List.of("smollm", "starcoder", "refact"), List.of("\\p{N}", Words.GPT2), Set.of()),

    LLAMA3(
            List.of("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"),
            List.of(Words.upToDigits("{1,3}")),
            Set.of(Trait.BEGINS, Trait.TAKES_WHOLE_TOKENS)),

    /** Llama 3's words, without its begin-of-sequence token. */
    GLM4(List.of("glm4", "chatglm-bpe", "smaug-bpe", "dbrx"), List.of(Words.upToDigits("{1,3}")), Set.of()),

    QWEN2(List.of("qwen2", "megrez"), List.of(Words.upToDigits("")), Set.of(Trait.COMPOSES)),

    /** Words with the marks that belong to their letters. */
    QWEN35(List.of("qwen35"), List.of(Words.WITH_MARKS), Set.of(Trait.COMPOSES)),

    DEEPSEEK_R1_QWEN(List.of("deepseek-r1-qwen"), List.of(Words.upToDigits("")), Set.of()),

    /**
     * Newlines, cased words, punctuation (also full-width), spaces at the end, runs of Han and Hangul, digits. The vocabulary has no
     * token of two digits (DeepSeek LLM, 2024, section 2.1), so that llama.cpp's runs of digits give the same ids.
     */
    DEEPSEEK_LLM(
            List.of("deepseek-llm"),
            List.of(
                    "[\\r\\n]",
                    "\\s?" + Words.CASED_LETTER + "+",
                    "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+",
                    "\\s+$",
                    Words.HAN_AND_HANGUL,
                    "\\p{N}"),
            Set.of()),

    DEEPSEEK_CODER(
            List.of("deepseek-coder"),
            List.of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", Words.HAN_AND_HANGUL, "\\p{N}"),
            Set.of()),

    DEEPSEEK_V3(
            List.of("deepseek-v3"),
            List.of("\\p{N}{1,3}", "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+", Words.DEEPSEEK_V3),
            Set.of()),

    /** OpenAI's o200k, as in gpt-oss and MiniMax M2. */
    GPT4O(
            List.of("gpt-4o", "llama4", "minimax-m2"),
            List.of(Words.byCase("", Words.CONTRACTIONS + "?") + "|\\p{N}{1,3}" + Words.signs("/")),
            Set.of()),

    TEKKEN(
            List.of("tekken"),
            List.of(Words.byCase("", "") + "|\\p{N}" + Words.signs("/")),
            Set.of(Trait.BEGINS, Trait.TAKES_WHOLE_TOKENS)),

    /** Runs of Han apart, all else as in o200k. */
    KIMI_K2(
            List.of("kimi-k2"),
            List.of("\\p{Han}+|" + Words.byCase("&&[^\\p{Han}]", Words.CONTRACTIONS + "?") + "|\\p{N}{1,3}"
                    + Words.signs("")),
            Set.of(Trait.TAKES_WHOLE_TOKENS));

    private enum Trait {
        /** The text is brought into Unicode's composed form (NFC) first. */
        COMPOSES,
        /** A piece that is a token as a whole is taken without merging. */
        TAKES_WHOLE_TOKENS,
        /** Prompts start with BOS where the file does not say otherwise. */
        BEGINS
    }

    private final List<String> names;
    private final List<String> splits;
    private final Set<Trait> traits;

    PreTokenizer(List<String> names, List<String> splits, Set<Trait> traits) {
        this.names = names;
        this.splits = splits;
        this.traits = traits;
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

    boolean addsBosByDefault() {
        return traits.contains(Trait.BEGINS);
    }

    boolean ignoresMerges() {
        return traits.contains(Trait.TAKES_WHOLE_TOKENS);
    }

    /** Writes the fields {@code normalizer} and {@code pre_tokenizer}. */
    void write(JsonGenerator json) throws IOException {
        if (traits.contains(Trait.COMPOSES)) {
            json.writeFieldName("normalizer");
            TokenizerJson.writeStep(json, "NFC", none -> {});
        } else {
            json.writeNullField("normalizer");
        }
        json.writeFieldName("pre_tokenizer");
        TokenizerJson.writeStep(json, "Sequence", sequence -> {
            json.writeArrayFieldStart("pretokenizers");
            for (String regex : splits) {
                writeSplit(json, regex);
            }
            writeByteLevel(json);
            json.writeEndArray();
        });
    }

    private static void writeSplit(JsonGenerator json, String regex) throws IOException {
        TokenizerJson.writeStep(json, "Split", split -> {
            json.writeObjectFieldStart("pattern");
            json.writeStringField("Regex", regex);
            json.writeEndObject();
            json.writeStringField("behavior", "Isolated");
            json.writeBooleanField("invert", false);
        });
    }

    /** The step from bytes to the 256 symbols that byte-level vocabularies are spelled in; as a decoder, the way back. */
    static void writeByteLevel(JsonGenerator json) throws IOException {
        TokenizerJson.writeStep(json, "ByteLevel", step -> {
            json.writeBooleanField("add_prefix_space", false);
            json.writeBooleanField("trim_offsets", true);
            json.writeBooleanField("use_regex", false);
        });
    }

    /** Patterns in the syntax of Oniguruma. */
    private static final class Words {
        private static final String SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

        static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

        static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

        static final String WITH_MARKS = CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
                + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" + SPACES;

        static final String HAN_AND_HANGUL = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+";

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
            return CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + digits + signs("");
        }

        /** Words that end where a capital follows a small letter, with one character before. */
        static String byCase(String except, String ending) {
            String capital = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}" + except + "]";
            String small = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}" + except + "]";
            String before = "[^\\r\\n\\p{L}\\p{N}]?";
            return before + capital + "*" + small + "+" + ending + "|" + before + capital + "+" + small + "*" + ending;
        }

        /** Neither letters nor numbers, with newlines (and what else is named) after; then spaces. */
        static String signs(String after) {
            return "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n" + after + "]*|" + SPACES;
        }
    }
}
