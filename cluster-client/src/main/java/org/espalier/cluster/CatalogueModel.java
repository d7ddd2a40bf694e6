package org.espalier.cluster;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.config.RoutedExperts;
import org.espalier.model.Model;
import org.espalier.model.ModelIdentity;
import org.espalier.plan.ModelSize;
import org.espalier.plan.ShardPlans;
import org.espalier.template.ChatMessage;
import org.espalier.template.ChatTemplate;
import org.espalier.tokenizer.SpecialTokens;
import org.espalier.tokenizer.StreamingDetokenizer;
import org.espalier.tokenizer.Tokenizer;

/** A model from this machine's files, as the client needs it. */
record CatalogueModel(Model model, ModelIdentity identity) implements ClientModel {

    /** @param model owned, and closed, by the new object */
    static CatalogueModel of(Model model) {
        return new CatalogueModel(model, model.identity());
    }

    @Override
    public String name() {
        return model.name();
    }

    @Override
    public ModelSize size() {
        return new ShardPlans(model).sizes();
    }

    @Override
    public Set<Integer> endOfSequence() {
        return model.architecture().endOfSequence();
    }

    @Override
    public Optional<RoutedExperts> moe() {
        return model.architecture().moe();
    }

    @Override
    public boolean chats() {
        return model.chatTemplate().isPresent();
    }

    @Override
    public List<Integer> encode(Prompt prompt) {
        if (prompt instanceof Prompt.Tokens tokens) {
            return tokens.ids();
        }
        Tokenizer tokenizer = model.tokenizer()
                .orElseThrow(() -> new ClusterException("model " + name()
                        + " has no tokenizer: give the prompt as token ids, or add its tokenizer.json"));
        if (prompt instanceof Prompt.Text text) {
            return boxed(tokenizer.encodeWithBos(text.text()));
        }
        return boxed(tokenizer.encode(render((Prompt.Chat) prompt, tokenizer)));
    }

    private String render(Prompt.Chat chat, Tokenizer tokenizer) {
        String source = model.chatTemplate()
                .orElseThrow(() -> new ClusterException(
                        "model " + name() + " has no chat template: give the prompt as plain text"));
        return new ChatTemplate(source, tokenizer.bosToken(), tokenizer.eosToken())
                .render(chat.messages().stream()
                        .map(message -> new ChatMessage(message.role(), message.content()))
                        .toList());
    }

    private static List<Integer> boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    @Override
    public List<String> texts(List<Integer> tokens) {
        return model.tokenizer()
                .map(tokenizer -> IntStream.range(0, tokens.size())
                        .mapToObj(i -> text(tokenizer, tokens, i))
                        .toList())
                .orElse(List.of());
    }

    /** With the token before it, since many vocabularies lose the space of a text's first word. */
    private static String text(Tokenizer tokenizer, List<Integer> tokens, int place) {
        int token = tokens.get(place);
        if (place > 0) {
            String before = tokenizer.decode(new int[] {tokens.get(place - 1)}, SpecialTokens.KEEP);
            String both = tokenizer.decode(new int[] {tokens.get(place - 1), token}, SpecialTokens.KEEP);
            if (both.startsWith(before)) {
                return both.substring(before.length());
            }
        }
        return tokenizer.decode(new int[] {token}, SpecialTokens.KEEP);
    }

    @Override
    public Optional<TextStream> text() {
        return model.tokenizer().map(tokenizer -> {
            StreamingDetokenizer detokenizer = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            return new TextStream() {
                @Override
                public String add(int token) {
                    return detokenizer.push(token);
                }

                @Override
                public String end() {
                    return detokenizer.finish();
                }
            };
        });
    }

    @Override
    public void close() {
        model.close();
    }
}
