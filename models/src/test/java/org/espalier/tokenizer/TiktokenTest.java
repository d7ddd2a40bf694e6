package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tiny {@code tiktoken.model} against tiktoken; {@code make_tiny_tiktoken.py} made both. */
class TiktokenTest {

    @TempDir
    private Path directory;

    @Test
    void encodesAndDecodes() throws IOException {
        JsonNode golden;
        try (InputStream in = TiktokenTest.class.getResourceAsStream("tiktoken.json")) {
            golden = new ObjectMapper().readTree(in);
        }
        try (InputStream in = TiktokenTest.class.getResourceAsStream("tiny.tiktoken")) {
            Files.copy(in, directory.resolve("tiktoken.model"));
        }
        StringBuilder named = new StringBuilder();
        golden.path("special")
                .properties()
                .forEach(token -> named.append(named.isEmpty() ? "" : ",")
                        .append("\"" + token.getValue().asInt() + "\": {\"content\": \"" + token.getKey() + "\"}"));
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"[BOS]\", \"eos_token\": \"[EOS]\", \"added_tokens_decoder\": {" + named + "}}");
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            for (JsonNode expected : golden.path("cases")) {
                int[] ids = expected.path("ids")
                        .valueStream()
                        .mapToInt(JsonNode::asInt)
                        .toArray();
                assertThat(tokenizer.encode(expected.path("text").asText())).containsExactly(ids);
                assertThat(tokenizer.decode(ids, SpecialTokens.KEEP))
                        .isEqualTo(expected.path("decoded").asText());
            }
            assertThat(tokenizer.eosId())
                    .hasValue(golden.path("special").path("[EOS]").asInt());
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        for (String damaged : new String[] {"", "YQ==", "YQ== 1", "YQ== 0\nYQ== 1", "%% 0", "YQ== 0\n\nYg== 1"}) {
            Files.writeString(directory.resolve("tiktoken.model"), damaged);
            assertThatThrownBy(() -> Tokenizer.ofDirectory(directory))
                    .isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("tiktoken.model is not a new token in base64 and the rank");
        }
    }
}
