package org.espalier.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Published chat templates against texts rendered by Python's jinja2. */
class ChatTemplateGoldenTest {

    private static final Path GOLDEN = Path.of("..", "..", "shared", "golden");
    private static final Clock JULY_26 = Clock.fixed(Instant.parse("2024-07-26T12:00:00Z"), ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Every case of every template; the refusals count too. */
    @Test
    void rendersPublishedTemplates() throws IOException {
        JsonNode golden = golden("chat-templates/golden.json");
        List<String> failed = new ArrayList<>();
        for (Map.Entry<String, JsonNode> expected : golden.properties()) {
            String file = expected.getKey().substring(0, expected.getKey().indexOf('|'));
            String source =
                    Files.readString(GOLDEN.resolve("chat-templates/templates").resolve(file));
            String actual = render(source, expected.getValue().path("ctx"));
            boolean equal = expected.getValue().has("ok")
                    ? actual.equals("text " + expected.getValue().path("ok").asText())
                    : actual.startsWith("refused ") && actual.contains("refuses this conversation");
            if (!equal) {
                failed.add(expected.getKey() + " gave " + actual);
            }
        }
        assertThat(golden).hasSize(195); // 188 texts and 7 refusals
        assertThat(failed).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3", "llama3_1"})
    void rendersConversations(String name) throws IOException {
        JsonNode golden = golden("tokenizers/" + name + "/chat.json");
        ChatTemplate template = new ChatTemplate(
                golden.path("chat_template").asText(),
                Optional.of(golden.path("bos_token").asText()),
                Optional.of(golden.path("eos_token").asText()));
        for (JsonNode expected : golden.path("cases")) {
            assertThat(template.render(messages(expected.path("messages")), options(expected.path("args"))))
                    .isEqualTo(expected.path("text").asText());
        }
    }

    @Test
    void refusesWithTheTemplatesOwnReason() throws IOException {
        assumeTrue(Files.isDirectory(GOLDEN), "../shared/golden is not beside the repository, or not whole");
        String source = Files.readString(
                GOLDEN.resolve("chat-templates/templates/e2e_mistralai_Mixtral-8x7B-Instruct-v0.1.jinja"));
        ChatTemplate template = new ChatTemplate(source, Optional.of("<s>"), Optional.of("</s>"));
        List<ChatMessage> messages = List.of(new ChatMessage("assistant", "Hi"));
        assertThatThrownBy(() -> template.render(messages))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("refuses this conversation: Conversation roles must alternate");
    }

    private static String render(String source, JsonNode variables) {
        try {
            return "text " + Template.parse(source).render(map(variables), JULY_26);
        } catch (TemplateException e) {
            return "refused " + e.getMessage();
        }
    }

    private static List<ChatMessage> messages(JsonNode nodes) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode node : nodes) {
            messages.add(new ChatMessage(
                    node.path("role").asText(), node.path("content").textValue(), map(node)));
        }
        return messages;
    }

    private static ChatOptions options(JsonNode arguments) {
        Map<String, Object> variables = map(arguments);
        boolean add = (boolean) variables.getOrDefault("add_generation_prompt", false);
        return ChatOptions.DEFAULT
                .withGenerationPrompt(add ? ChatOptions.GenerationPrompt.ADD : ChatOptions.GenerationPrompt.OMIT)
                .withVariables(variables)
                .withClock(JULY_26);
    }

    private static Map<String, Object> map(JsonNode node) {
        return JSON.convertValue(node, new TypeReference<>() {});
    }

    private static JsonNode golden(String file) throws IOException {
        assumeTrue(Files.isDirectory(GOLDEN), "../shared/golden is not beside the repository, or not whole");
        return JSON.readTree(GOLDEN.resolve(file).toFile());
    }
}
