package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.espalier.config.RoutedExperts;
import org.espalier.model.ModelIdentity;
import org.espalier.plan.ModelSize;
import org.espalier.plan.ShardSize;

/**
 * Six layers of equal weight; token t is the letter of that number, a conversation is its last message.
 *
 * @param whenEncoding runs while a prompt is encoded: a moment between asking for a generation and its start
 * @param closes how often it was closed
 */
record FakeModel(String name, Runnable whenEncoding, AtomicInteger closes) implements ClientModel {

    static final int LAYERS = 6;

    /** Bytes of a layer of models whose name begins with {@code vast}: more than any machine of a test has. */
    static final long VAST = 1L << 44;

    FakeModel(String name, Runnable whenEncoding) {
        this(name, whenEncoding, new AtomicInteger());
    }

    FakeModel(String name) {
        this(name, () -> {});
    }

    @Override
    public ModelIdentity identity() {
        return new ModelIdentity(name, "", "0".repeat(64), "");
    }

    @Override
    public void close() {
        closes.incrementAndGet();
    }

    @Override
    public ModelSize size() {
        long bytes = name.startsWith("vast") ? VAST : 100;
        return new ModelSize(Collections.nCopies(LAYERS, new ShardSize(bytes, 0)), new ShardSize(LAYERS * bytes, 0));
    }

    @Override
    public Set<Integer> endOfSequence() {
        return Set.of();
    }

    @Override
    public Optional<RoutedExperts> moe() {
        return Optional.of(
                new RoutedExperts(16, 2, 8, IntStream.range(1, LAYERS).boxed().toList()));
    }

    @Override
    public boolean chats() {
        return true;
    }

    @Override
    public List<Integer> encode(Prompt prompt) {
        whenEncoding.run();
        if (prompt instanceof Prompt.Tokens tokens) {
            return tokens.ids();
        }
        String text = prompt instanceof Prompt.Text plain
                ? plain.text()
                : ((Prompt.Chat) prompt).messages().get(0).content();
        return text.chars().mapToObj(letter -> letter - 'A').toList();
    }

    @Override
    public List<String> texts(List<Integer> tokens) {
        return tokens.stream()
                .map(token -> String.valueOf((char) ('A' + token)))
                .toList();
    }

    @Override
    public Optional<TextStream> text() {
        return Optional.of(new TextStream() {
            @Override
            public String add(int token) {
                assertThat(closes).as("the model is in use").hasValue(0);
                return String.valueOf((char) ('A' + token));
            }

            @Override
            public String end() {
                return "";
            }
        });
    }
}
