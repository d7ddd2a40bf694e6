package org.espalier.template;

import java.time.Clock;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a conversation is rendered.
 *
 * @param generationPrompt whether the text ends where the assistant's answer begins, or after the last message
 * @param tools function descriptions as JSON-like maps; empty for none
 * @param variables what else the template may read, such as {@code enable_thinking}
 * @param clock tells the date to templates that write one
 */
public record ChatOptions(
        GenerationPrompt generationPrompt,
        List<Map<String, Object>> tools,
        Map<String, Object> variables,
        Clock clock) {

    /** Where the text ends. */
    public enum GenerationPrompt {
        ADD,
        OMIT
    }

    /** For an answer: the generation prompt is added, no tools, no variables. */
    public static final ChatOptions DEFAULT =
            new ChatOptions(GenerationPrompt.ADD, List.of(), Map.of(), Clock.systemDefaultZone());

    public ChatOptions {
        tools = List.copyOf(tools);
        variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    }

    public ChatOptions withGenerationPrompt(GenerationPrompt value) {
        return new ChatOptions(value, tools, variables, clock);
    }

    public ChatOptions withTools(List<Map<String, Object>> value) {
        return new ChatOptions(generationPrompt, value, variables, clock);
    }

    public ChatOptions withVariables(Map<String, Object> value) {
        return new ChatOptions(generationPrompt, tools, value, clock);
    }

    public ChatOptions withClock(Clock value) {
        return new ChatOptions(generationPrompt, tools, variables, value);
    }
}
