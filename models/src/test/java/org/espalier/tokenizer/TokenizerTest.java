package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {

    private static final String CONFIG =
            "{\"bos_token\": {\"content\": \"<bos>\"}, \"eos_token\": \"<eos>\", \"add_bos_token\": %s}";

    @TempDir
    private Path directory;

    @Test
    void encodesBytesAndSpecialTokens() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(ByteTokenizer.gguf(), "test.gguf")) {
            assertThat(tokenizer.encode("aé<end>")).containsExactly('a', 0xC3, 0xA9, 258);
            assertThat(tokenizer.decode(new int[] {'a', 0xC3, 0xA9, 258}, SpecialTokens.KEEP))
                    .isEqualTo("aé<end>");
            assertThat(tokenizer.decode(new int[] {'a', 0xC3, 0xA9, 258}, SpecialTokens.SKIP))
                    .isEqualTo("aé");
            assertThat(tokenizer.decode(new int[] {0xC3, -1, 9999, Integer.MAX_VALUE, 'b'}, SpecialTokens.KEEP))
                    .isEqualTo("\uFFFDb");
            assertThat(tokenizer.vocabularySize()).isEqualTo(259);
            assertThat(tokenizer.idOf("<end>")).hasValue(258);
            assertThat(tokenizer.idOf("\u0120")).hasValue(' ');
            assertThat(tokenizer.idOf("absent")).isEmpty();
            assertThat(tokenizer.bosId()).hasValue(ByteTokenizer.BOS);
            assertThat(tokenizer.eosToken()).contains("<eos>");
        }
    }

    /** The library's default, and this file's own wish, is to cut and to pad. */
    @Test
    void neverCutsOrPads() throws IOException {
        ByteTokenizer.write(directory, ByteTokenizer.json(), CONFIG.formatted(false));
        String text = "0123456789".repeat(10_000);
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.encode(text)).hasSize(100_000);
            assertThat(tokenizer.encodeWithBos(text)).hasSize(100_000);
            assertThat(tokenizer.decode(tokenizer.encode(text), SpecialTokens.KEEP))
                    .isEqualTo(text);
            assertThat(tokenizer.encode("a")).containsExactly('a');
            assertThat(tokenizer.encode("")).isEmpty();
        }
    }

    @Test
    void addsBosOnceWhereTheConfigAsksForIt() throws IOException {
        ByteTokenizer.write(directory, ByteTokenizer.json(), CONFIG.formatted(true));
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.encode("a")).containsExactly('a');
            assertThat(tokenizer.encodeWithBos("a")).containsExactly(ByteTokenizer.BOS, 'a');
        }
        ByteTokenizer.write(directory, ByteTokenizer.withBosTemplate(ByteTokenizer.json()), CONFIG.formatted(true));
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.encode("a")).containsExactly('a');
            assertThat(tokenizer.encodeWithBos("a")).containsExactly(ByteTokenizer.BOS, 'a');
        }
    }

    @Test
    void readsTheChatTemplateFromItsOwnFileFirst() throws IOException {
        ByteTokenizer.write(
                directory,
                ByteTokenizer.json(),
                "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"}, {\"name\": \"default\", \"template\": \"d\"}]}");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.chatTemplate()).contains("d");
        }
        Files.writeString(directory.resolve("chat_template.json"), "{\"chat_template\": \"wrapped\"}");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.chatTemplate()).contains("wrapped");
        }
        Files.writeString(directory.resolve("chat_template.jinja"), "own file");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.chatTemplate()).contains("own file");
        }
    }

    @Test
    void readsTokensThatOnlyTheMapNames() throws IOException {
        ByteTokenizer.write(directory, ByteTokenizer.json(), "{\"eos_token\": \"<end>\"}");
        Files.writeString(
                directory.resolve("special_tokens_map.json"), "{\"bos_token\": \"<bos>\", \"eos_token\": \"<eos>\"}");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            assertThat(tokenizer.bosId()).hasValue(ByteTokenizer.BOS);
            assertThat(tokenizer.eosToken()).contains("<end>");
        }
    }

    @Test
    void survivesAnyString() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(ByteTokenizer.gguf(), "test.gguf")) {
            for (String text : List.of("\0", "a\0b", "\uD83D\uDE00", "\uFFFF", "\uFEFFx", "\u202Eabc")) {
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                assertThat(tokenizer.encode(text)).hasSize(bytes.length);
                assertThat(tokenizer.decode(tokenizer.encode(text), SpecialTokens.KEEP))
                        .isEqualTo(text);
            }
            int[] replacement = {0xEF, 0xBF, 0xBD};
            assertThat(tokenizer.encode("\uD83D")).containsExactly(replacement);
            assertThat(tokenizer.encode("\uDE00")).containsExactly(replacement);
        }
    }

    /** Two digits, two Latin letters, and a Latin with an Armenian one that could be merged show which pieces a rule lets meet. */
    @ParameterizedTest
    @CsvSource({
        "gpt-2, true, true, true",
        "default, true, true, true",
        "smollm, false, true, true",
        "llama-bpe, true, true, true",
        "qwen2, false, true, true",
        "qwen35, false, true, true",
        "minimax-m2, true, true, true",
        "deepseek-llm, false, true, false",
        "deepseek-coder, false, true, true",
        "olmo, true, true, true",
        "glm4, true, true, true",
        "chatglm-bpe, true, true, true",
        "gpt-4o, true, true, true",
        "tekken, false, true, true",
        "kimi-k2, true, true, true",
        "deepseek-v3, true, true, true"
    })
    void splitsByTheRuleThatAGgufNames(String rule, boolean digits, boolean letters, boolean armenian) {
        Map<String, Object> metadata = with("tokenizer.ggml.pre", rule);
        List<String> tokens = new ArrayList<>(ByteTokenizer.tokens());
        String small = tokens.get(0xD5) + tokens.get(0xA1);
        tokens.addAll(List.of("12", "ab", small, "a" + small));
        metadata.put("tokenizer.ggml.tokens", tokens);
        metadata.put(
                "tokenizer.ggml.merges",
                List.of("1 2", "a b", small.substring(0, 1) + " " + small.substring(1), "a " + small));
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata, "test.gguf")) {
            assertThat(tokenizer.encode("12")).hasSize(digits ? 1 : 2);
            assertThat(tokenizer.encode("ab")).hasSize(letters ? 1 : 2);
            assertThat(tokenizer.encode("a\u0561")).hasSize(armenian ? 1 : 2);
        }
    }

    /** Devanagari KA and the vowel sign I, three bytes each, with merges up to both together. */
    @ParameterizedTest
    @CsvSource({"qwen2, 2", "qwen35, 1"})
    void aMarkBelongsToItsLetterInNewerQwens(String rule, int pieces) {
        Map<String, Object> metadata = with("tokenizer.ggml.pre", rule);
        List<String> tokens = new ArrayList<>(ByteTokenizer.tokens());
        List<String> symbols = new ArrayList<>();
        for (int value : new int[] {0xE0, 0xA4, 0x95, 0xE0, 0xA4, 0xBF}) {
            symbols.add(tokens.get(value));
        }
        List<String> merges = new ArrayList<>();
        for (int from : new int[] {0, 3}) {
            String two = symbols.get(from) + symbols.get(from + 1);
            String three = two + symbols.get(from + 2);
            if (!tokens.contains(two)) {
                merges.add(symbols.get(from) + " " + symbols.get(from + 1));
                tokens.add(two);
            }
            merges.add(two + " " + symbols.get(from + 2));
            tokens.add(three);
        }
        merges.add(String.join("", symbols.subList(0, 3)) + " " + String.join("", symbols.subList(3, 6)));
        tokens.add(String.join("", symbols));
        metadata.put("tokenizer.ggml.tokens", tokens);
        metadata.put("tokenizer.ggml.merges", merges);
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata, "test.gguf")) {
            assertThat(tokenizer.encode("\u0915\u093F")).hasSize(pieces);
        }
    }

    @Test
    void saysWhatIsWrongWithADirectory() throws IOException {
        assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("there is no tokenizer.json in " + directory);
        for (String damaged :
                List.of("", "{", "[]", "{}", "null", "{\"model\": {\"vocab\": {\"a\": \"x\"}}}", "\0\1\2")) {
            Files.writeString(directory.resolve("tokenizer.json"), damaged);
            assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                    .isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("tokenizer.json");
        }
        ByteTokenizer.write(directory, ByteTokenizer.json(), "{\"eos_token\": \"<other>\"}");
        assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("eos_token is \"<other>\", which is not in the vocabulary");
        ByteTokenizer.write(directory, ByteTokenizer.json(), "{\"eos_token\": ");
        assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer_config.json is not readable JSON");
    }

    /** Each of these ends the process if the native library gets it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "'normalizer': {'type': 'Precompiled', 'precompiled_charsmap': '/////////////w=='}",
                "'pre_tokenizer': {'type': 'FixedLength', 'length': 0}",
                "'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'FixedLength', 'length': 0}]}",
                "'pre_tokenizer': {'type': 'Split', 'pattern': {'Regex': '(a|aa)+$'}, 'behavior': 'Isolated', 'invert': false}",
                "'pre_tokenizer': {'type': 'Split', 'pattern': {'Regex': '(?:a+)+$'}, 'behavior': 'Isolated', 'invert': false}",
                "'decoder': {'type': 'Strip', 'content': 'a', 'start': 0, 'stop': 99}",
                "'post_processor': {'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': 'x', 'type_id': 0}}], 'pair': [], 'special_tokens': {}}",
                "'post_processor': {'type': 'TemplateProcessing', 'single': [{'Sequence': {'id': 'B', 'type_id': 0}}], 'pair': [], 'special_tokens': {}}",
                "'model': {'type': 'BPE', 'continuing_subword_prefix': '####', 'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': ['a b']}"
            })
    void refusesWhatBringsTheLibraryDown(String field) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode document = ByteTokenizer.json();
        document.setAll((ObjectNode) mapper.readTree("{" + field.replace('\'', '"') + "}"));
        ByteTokenizer.write(directory, document, "{}");
        assertThatThrownBy(() -> {
                    try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
                        tokenizer.encodeWithBos("a".repeat(100) + "b");
                    }
                })
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.json has the " + field.substring(1, field.indexOf('\'', 1)));
    }

    /** Freeing a vocabulary with such a token ends the process. */
    @Test
    void refusesTokensOfThousandsOfCharacters() throws IOException {
        ObjectNode document = ByteTokenizer.json();
        ObjectNode model = document.putObject("model").put("type", "Unigram").put("unk_id", 0);
        model.putArray("vocab").addArray().add("x".repeat(100_000)).add(0.0);
        ByteTokenizer.write(directory, document, "{}");
        assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("token 0 has 100000 characters");
    }

    @Test
    void refusesMillionsOfSpaces() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(ByteTokenizer.gguf(), "test.gguf")) {
            assertThatThrownBy(() -> tokenizer.encode("a" + " ".repeat(5_000_000) + "a"))
                    .isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("spaces or newlines in a row");
        }
    }

    @Test
    void knowsPublishedPatternsAsBounded() {
        for (String regex : List.of(
                "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)",
                "[^x]?[\\p{Lu}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{M}]+(?i:'s|'ll)?",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+",
                "\\d{1,3}(?=(?:\\d{3})*\\b)",
                " ?[^(\\s|.,!?)]+",
                "\\p{L}?+\\p{N}++")) {
            assertThat(RegexCost.isBounded(regex)).as(regex).isTrue();
        }
        for (String regex :
                List.of("(a*)*", "(a|b)*", "((a?b))+", "(x)\\1", "a**", "a*b*c*d*", "(?:a{1,2}){3,}", "(", "a)")) {
            assertThat(RegexCost.isBounded(regex)).as(regex).isFalse();
        }
    }

    @Test
    void saysWhatIsWrongWithAGguf() {
        refusesGguf(Map.of(), "has no tokenizer.ggml.model");
        refusesGguf(Map.of("tokenizer.ggml.model", "bert"), "a tokenizer of kind \"bert\", known are gpt2");
        refusesGguf(Map.of("tokenizer.ggml.model", "gpt2"), "has no tokenizer.ggml.tokens");
        refusesGguf(with("tokenizer.ggml.pre", "strange"), "tokenizer.ggml.pre of test.gguf is \"strange\", known are");
        refusesGguf(with("tokenizer.ggml.tokens", List.of("a", 5L)), "token 1 of test.gguf is not a string");
        refusesGguf(with("tokenizer.ggml.eos_token_id", 259L), "is 259, the vocabulary has 259 tokens");
        refusesGguf(with("tokenizer.ggml.eos_token_id", -1), "is -1");
        refusesGguf(with("tokenizer.ggml.merges", List.of("no merge at all")), "not a tokenizer that can be used");
        refusesGguf(with("tokenizer.ggml.merges", List.of("zz yy")), "not a tokenizer that can be used");
    }

    private static Map<String, Object> with(String key, Object value) {
        Map<String, Object> metadata = ByteTokenizer.gguf();
        metadata.put(key, value);
        return metadata;
    }

    private static void refusesGguf(Map<String, Object> metadata, String message) {
        assertThatThrownBy(() -> Tokenizer.ofGguf(metadata, "test.gguf"))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining(message);
    }
}
