package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tiny vocabulary (600 tokens, byte fallback) against SentencePiece and Hugging Face tokenizers; {@code make_tiny_sentencepiece.py}
 * made it and them.
 */
class SentencePieceTest {

    private static final JsonNode GOLDEN = golden();

    /** Ids of the tokens for the bytes 0x00 to 0xFF, after unk, s, /s and mark. */
    private static final int FIRST_BYTE = 4;

    @TempDir
    private Path directory;

    @Test
    void encodesAndDecodesFromGgufMetadata() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata(), "tiny.gguf")) {
            for (JsonNode expected : GOLDEN.path("cases")) {
                int[] ids = ids(expected.path("ids"));
                if (expected.has("text")) {
                    assertThat(tokenizer.encode(expected.path("text").asText())).containsExactly(ids);
                }
                assertThat(tokenizer.decode(ids, SpecialTokens.KEEP))
                        .isEqualTo(expected.path("decoded").asText());
            }
            assertThat(tokenizer.vocabularySize()).isEqualTo(600);
            assertThat(tokenizer.bosToken()).contains("<s>");
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.encodeWithBos("the wall").length).isEqualTo(tokenizer.encode("the wall").length + 1);
        }
    }

    @Test
    void streamsWholeCharacters() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata(), "tiny.gguf")) {
            for (JsonNode expected : GOLDEN.path("cases")) {
                if (expected.has("pieces")) {
                    StreamingDetokenizer stream = new StreamingDetokenizer(tokenizer, SpecialTokens.KEEP);
                    List<String> pieces = new ArrayList<>();
                    for (int id : ids(expected.path("ids"))) {
                        pieces.add(stream.push(id));
                    }
                    assertThat(String.join("", pieces) + stream.finish())
                            .isEqualTo(expected.path("decoded").asText());
                    assertThat(pieces)
                            .containsExactlyElementsOf(expected.path("pieces")
                                    .valueStream()
                                    .map(JsonNode::asText)
                                    .toList());
                }
            }
        }
    }

    /** Bytes that are not a character: each is one U+FFFD, and the text around them stays. */
    @Test
    void streamsBrokenBytes() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata(), "tiny.gguf")) {
            for (JsonNode expected : GOLDEN.path("broken")) {
                assertThat(streamed(tokenizer, ids(expected.path("ids"))))
                        .isEqualTo(expected.path("decoded").asText());
            }
            int a = tokenizer.idOf("a").getAsInt();
            assertThat(streamed(tokenizer, bytes(0xF0, 0x9F, 0x8C, 0xB3))).isEqualTo("🌳");
            assertThat(streamed(tokenizer, bytes(0xF0, 0x9F, 0x8C, 0xB3, 0xF0, 0x9F, 0x8C, 0xB3)))
                    .isEqualTo("🌳🌳");
            assertThat(streamed(tokenizer, bytes(0xF0, 0x9F), new int[] {a})).isEqualTo("\uFFFD\uFFFDa");
            assertThat(streamed(tokenizer, bytes(0xF0, 0x9F, 0x8C, 0xB3, 0xF0), new int[] {a}))
                    .isEqualTo("🌳\uFFFDa");
            assertThat(streamed(tokenizer, new int[] {a}, bytes(0x80), new int[] {a}, bytes(0xC3, 0xB1)))
                    .isEqualTo("a\uFFFDañ");
        }
    }

    @Test
    void streamsALeadingSpaceToken() {
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata(), "tiny.gguf")) {
            int space = tokenizer.idOf("\u2581").getAsInt();
            int the = tokenizer.idOf("\u2581the").getAsInt();
            assertThat(streamed(tokenizer, new int[] {space, the, 1, the})).isEqualTo(" the<s> the");
            StreamingDetokenizer skipping = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            assertThat(skipping.push(1)).isEmpty();
            assertThat(skipping.push(the)).isEqualTo("the");
            assertThat(skipping.push(2)).isEmpty();
            assertThat(skipping.push(the)).isEqualTo(" the");
        }
    }

    @Test
    void putsNoSpaceBeforeWhereTheFileSaysSo() {
        Map<String, Object> metadata = metadata();
        metadata.put("tokenizer.ggml.add_space_prefix", false);
        metadata.put("tokenizer.ggml.add_bos_token", false);
        try (Tokenizer tokenizer = Tokenizer.ofGguf(metadata, "tiny.gguf")) {
            int[] ids = tokenizer.encode("the wall");
            assertThat(tokenizer.decode(ids, SpecialTokens.KEEP)).isEqualTo("the wall");
            assertThat(tokenizer.idOf("\u2581the").getAsInt()).isNotEqualTo(ids[0]);
            assertThat(tokenizer.decode(tokenizer.encode(" the"), SpecialTokens.KEEP))
                    .isEqualTo(" the");
            assertThat(tokenizer.encodeWithBos("the wall")).containsExactly(ids);
        }
    }

    @Test
    void readsTheModelFileToo() throws IOException {
        try (InputStream in = SentencePieceTest.class.getResourceAsStream("tiny.model")) {
            Files.copy(in, directory.resolve("tokenizer.model"));
        }
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"add_bos_token\": true}");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            for (JsonNode expected : GOLDEN.path("cases")) {
                if (expected.has("text")) {
                    assertThat(tokenizer.encode(expected.path("text").asText()))
                            .containsExactly(ids(expected.path("ids")));
                }
            }
            assertThat(tokenizer.encodeWithBos("a")[0]).isEqualTo(1);
        }
    }

    @Test
    void saysWhatIsWrong() {
        refuses("tokenizer.ggml.scores", List.of(1, 2), "has 600 tokens but 2 tokenizer.ggml.scores");
        refuses("tokenizer.ggml.scores", null, "has no tokenizer.ggml.scores");
        List<Object> scores = new ArrayList<>((List<?>) metadata().get("tokenizer.ggml.scores"));
        scores.set(300, Float.NaN);
        refuses("tokenizer.ggml.scores", scores, "the score of token 300 of tiny.gguf is NaN");
        List<Object> tokens = new ArrayList<>((List<?>) metadata().get("tokenizer.ggml.tokens"));
        tokens.set(500, tokens.get(400));
        refuses("tokenizer.ggml.tokens", tokens, "is both token 400 and token 500 of tiny.gguf");
        tokens.set(500, "x".repeat(100_000));
        refuses("tokenizer.ggml.tokens", tokens, "has 100000 characters");
    }

    private static void refuses(String key, Object value, String message) {
        Map<String, Object> metadata = metadata();
        metadata.put(key, value);
        assertThatThrownBy(() -> Tokenizer.ofGguf(metadata, "tiny.gguf"))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining(message);
    }

    private static String streamed(Tokenizer tokenizer, int[]... runs) {
        StreamingDetokenizer stream = new StreamingDetokenizer(tokenizer, SpecialTokens.KEEP);
        StringBuilder text = new StringBuilder();
        for (int[] ids : runs) {
            for (int id : ids) {
                text.append(stream.push(id));
            }
        }
        return text.append(stream.finish()).toString();
    }

    private static int[] bytes(int... values) {
        int[] ids = new int[values.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = FIRST_BYTE + values[i];
        }
        return ids;
    }

    static Map<String, Object> metadata() {
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("tokenizer.ggml.model", "llama");
        metadata.put(
                "tokenizer.ggml.tokens",
                GOLDEN.path("tokens").valueStream().map(JsonNode::asText).toList());
        metadata.put(
                "tokenizer.ggml.scores",
                GOLDEN.path("scores").valueStream().map(JsonNode::floatValue).toList());
        metadata.put(
                "tokenizer.ggml.token_type",
                GOLDEN.path("types").valueStream().map(JsonNode::intValue).toList());
        return metadata;
    }

    private static int[] ids(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static JsonNode golden() {
        try (InputStream in = SentencePieceTest.class.getResourceAsStream("sentencepiece.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
