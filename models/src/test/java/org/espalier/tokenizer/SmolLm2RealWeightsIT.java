package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.GgufFile;
import org.espalier.template.ChatMessage;
import org.espalier.template.ChatTemplate;
import org.junit.jupiter.api.Test;

/** The tokenizer and chat template inside a real GGUF file against prompts made by transformers. */
class SmolLm2RealWeightsIT {

    private static final Path GOLDEN = Path.of("..", "..", "shared", "golden", "smollm2", "golden.json");
    private static final Path MODEL = Path.of("..", "notebooks", "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    @Test
    void makesThePrompts() throws IOException {
        assumeTrue(Files.exists(GOLDEN), "../shared/golden is not beside the repository, or not whole");
        assumeTrue(Files.exists(MODEL), "SmolLM2 is not here: run ./notebooks/lab --setup");
        JsonNode golden = new ObjectMapper().readTree(GOLDEN.toFile());
        try (Tokenizer tokenizer = Tokenizer.ofGguf(GgufFile.read(MODEL).metadata(), MODEL.toString())) {
            ChatTemplate template = new ChatTemplate(
                    tokenizer.chatTemplate().orElseThrow(), tokenizer.bosToken(), tokenizer.eosToken());
            assertThat(golden.path("prompts")).isNotEmpty();
            for (JsonNode prompt : golden.path("prompts")) {
                String text = template.render(messages(prompt.path("messages")));
                assertThat(text).isEqualTo(prompt.path("prompt_text").asText());
                assertThat(tokenizer.encode(text)).containsExactly(ids(prompt.path("prompt_ids")));
                assertThat(streamed(tokenizer, ids(prompt.path("greedy_ids"))))
                        .isEqualTo(prompt.path("greedy_text").asText());
            }
        }
    }

    private static String streamed(Tokenizer tokenizer, int[] ids) {
        StreamingDetokenizer stream = new StreamingDetokenizer(tokenizer, SpecialTokens.KEEP);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.push(id));
        }
        return text.append(stream.finish()).toString();
    }

    private static List<ChatMessage> messages(JsonNode nodes) {
        List<ChatMessage> messages = new ArrayList<>();
        nodes.forEach(node -> messages.add(
                new ChatMessage(node.path("role").asText(), node.path("content").asText())));
        return messages;
    }

    private static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.path(i).asInt();
        }
        return ids;
    }
}
