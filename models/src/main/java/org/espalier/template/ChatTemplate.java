package org.espalier.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint's chat template: turns a conversation into the text that the model was trained on. The text holds all special tokens
 * that belong to it, the begin-of-sequence token included, so it is encoded without adding any.
 */
public final class ChatTemplate {

    private final Template template;
    private final Map<String, Object> specialTokens = new LinkedHashMap<>();

    /**
     * @param source Jinja
     * @param bosToken the text of the begin-of-sequence token
     * @param eosToken the text of the end-of-sequence token
     * @throws TemplateException if the source is malformed
     */
    public ChatTemplate(String source, Optional<String> bosToken, Optional<String> eosToken) {
        this.template = Template.parse(source);
        bosToken.ifPresent(token -> specialTokens.put("bos_token", token));
        eosToken.ifPresent(token -> specialTokens.put("eos_token", token));
    }

    /** As {@link #render(List, ChatOptions)}, up to where the assistant's answer begins. */
    public String render(List<ChatMessage> messages) {
        return render(messages, ChatOptions.DEFAULT);
    }

    /** @throws TemplateException if the template refuses the conversation, for instance a role that it does not know */
    public String render(List<ChatMessage> messages, ChatOptions options) {
        Map<String, Object> variables = new LinkedHashMap<>(specialTokens);
        variables.put("messages", messages.stream().map(ChatMessage::variables).toList());
        variables.put("add_generation_prompt", options.generationPrompt() == ChatOptions.GenerationPrompt.ADD);
        // transformers passes these always, so templates may count on them being defined
        variables.put("tools", options.tools().isEmpty() ? null : options.tools());
        variables.put("documents", null);
        variables.putAll(options.variables());
        return template.render(variables, options.clock());
    }
}
