package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Published vocabularies against ids and texts computed by Hugging Face tokenizers. */
class TokenizerGoldenTest {

    private static final Path GOLDEN = Path.of("..", "..", "shared", "golden", "tokenizers");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "llama3_1"})
    void encodesAndDecodes(String name) throws IOException {
        try (Tokenizer tokenizer = open(name)) {
            JsonNode golden = golden(name, "encode.json");
            assertThat(tokenizer.vocabularySize())
                    .isEqualTo(golden.path("vocab_size").asInt());
            for (JsonNode expected : golden.path("cases")) {
                checkEncoding(tokenizer, expected);
                checkDecoding(tokenizer, expected);
                assertThat(tokenizer.encodeWithBos(expected.path("text").asText()))
                        .containsExactly(withBos(tokenizer, ids(expected.path("ids"))));
            }
            for (JsonNode expected : golden(name, "decode_random.json").path("cases")) {
                checkDecoding(tokenizer, expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "llama3_1"})
    void streams(String name) throws IOException {
        try (Tokenizer tokenizer = open(name)) {
            JsonNode golden = golden(name, "stream.json");
            golden.path("cases").forEach(expected -> checkStream(tokenizer, expected));
            golden.path("truncated").forEach(expected -> checkStream(tokenizer, expected));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "llama3_1"})
    void encodesConversations(String name) throws IOException {
        try (Tokenizer tokenizer = open(name)) {
            JsonNode golden = golden(name, "chat.json");
            assertThat(tokenizer.bosToken()).contains(golden.path("bos_token").asText());
            assertThat(tokenizer.eosToken()).contains(golden.path("eos_token").asText());
            assertThat(tokenizer.chatTemplate())
                    .contains(golden.path("chat_template").asText());
            golden.path("cases").forEach(expected -> checkEncoding(tokenizer, expected));
        }
    }

    /** The same vocabulary as a GGUF file would carry it: tokens, types, merges and the name of the splitting rule. */
    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "llama3_1"})
    void givesTheSameIdsFromGgufMetadata(String name) throws IOException {
        open(name).close();
        JsonNode json = JSON.readTree(directory.resolve("tokenizer.json").toFile());
        Map<String, Object> metadata = ggufMetadata(json);
        metadata.put("tokenizer.ggml.pre", name.equals("llama3_1") ? "llama-bpe" : "deepseek-v3");
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata, name)) {
            for (JsonNode expected : golden(name, "encode.json").path("cases")) {
                checkEncoding(tokenizer, expected);
                checkDecoding(tokenizer, expected);
            }
        }
    }

    private Tokenizer open(String name) throws IOException {
        assumeTrue(Files.isDirectory(GOLDEN), "../shared/golden is not beside the repository, or not whole");
        try (InputStream in =
                new GZIPInputStream(Files.newInputStream(GOLDEN.resolve(name).resolve("tokenizer.json.gz")))) {
            Files.copy(in, directory.resolve("tokenizer.json"));
        }
        Files.copy(GOLDEN.resolve(name).resolve("tokenizer_config.json"), directory.resolve("tokenizer_config.json"));
        return Tokenizer.ofDirectory(directory);
    }

    private static JsonNode golden(String name, String file) throws IOException {
        return JSON.readTree(GOLDEN.resolve(name).resolve(file).toFile());
    }

    private static void checkEncoding(Tokenizer tokenizer, JsonNode expected) {
        assertThat(tokenizer.encode(expected.path("text").asText())).containsExactly(ids(expected.path("ids")));
    }

    private static void checkDecoding(Tokenizer tokenizer, JsonNode expected) {
        int[] ids = ids(expected.path("ids"));
        assertThat(tokenizer.decode(ids, SpecialTokens.KEEP))
                .isEqualTo(expected.path("decoded").asText());
        assertThat(tokenizer.decode(ids, SpecialTokens.SKIP))
                .isEqualTo(expected.path("decoded_skip_special").asText());
    }

    private static void checkStream(Tokenizer tokenizer, JsonNode expected) {
        StreamingDetokenizer detokenizer = new StreamingDetokenizer(tokenizer, SpecialTokens.KEEP);
        int[] ids = ids(expected.path("ids"));
        StringBuilder whole = new StringBuilder();
        for (int i = 0; i < ids.length; i++) {
            String piece = detokenizer.push(ids[i]);
            assertThat(piece).isEqualTo(expected.path("pieces").path(i).asText(""));
            whole.append(piece);
        }
        assertThat(whole.append(detokenizer.finish()))
                .hasToString(expected.path("full").asText());
    }

    private static int[] withBos(Tokenizer tokenizer, int[] ids) {
        int[] result = new int[ids.length + 1];
        result[0] = tokenizer.bosId().getAsInt();
        System.arraycopy(ids, 0, result, 1, ids.length);
        return result;
    }

    private static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.path(i).asInt();
        }
        return ids;
    }

    private static Map<String, Object> ggufMetadata(JsonNode json) {
        Map<Integer, String> tokens = new TreeMap<>();
        Map<Integer, Integer> types = new TreeMap<>();
        json.path("model").path("vocab").properties().forEach(e -> {
            tokens.put(e.getValue().asInt(), e.getKey());
            types.put(e.getValue().asInt(), 1);
        });
        for (JsonNode added : json.path("added_tokens")) {
            tokens.put(added.path("id").asInt(), added.path("content").asText());
            types.put(added.path("id").asInt(), added.path("special").asBoolean() ? 3 : 4);
        }
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.tokens", List.copyOf(tokens.values()));
        metadata.put("tokenizer.ggml.token_type", List.copyOf(types.values()));
        metadata.put(
                "tokenizer.ggml.merges",
                json.path("model")
                        .path("merges")
                        .valueStream()
                        .map(JsonNode::asText)
                        .collect(Collectors.toList()));
        metadata.put("tokenizer.ggml.bos_token_id", 0);
        return metadata;
    }
}
