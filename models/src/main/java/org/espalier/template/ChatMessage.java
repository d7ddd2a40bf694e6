package org.espalier.template;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One message of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content null where an assistant only calls tools
 * @param fields what else a template may read, such as {@code tool_calls} or {@code reasoning_content}
 */
public record ChatMessage(String role, String content, Map<String, Object> fields) {

    public ChatMessage {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public ChatMessage(String role, String content) {
        this(role, content, Map.of());
    }

    Map<String, Object> variables() {
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("role", role);
        variables.put("content", content);
        variables.putAll(fields);
        return variables;
    }
}
