package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerTextTest {

    private final List<String> shown = new ArrayList<>();

    /** Feeds the text letter by letter. */
    private String feed(String text, List<String> stops) {
        AnswerText answer = new AnswerText(
                new ClientModel.TextStream() {
                    @Override
                    public String add(int token) {
                        return String.valueOf((char) token);
                    }

                    @Override
                    public String end() {
                        return "!";
                    }
                },
                stops);
        text.chars().forEach(letter -> shown.add(answer.add(letter)));
        shown.add(answer.end());
        assertThat(String.join("", shown)).isEqualTo(answer.text());
        return answer.text();
    }

    @Test
    void showsAtOnceWithoutStops() {
        assertThat(feed("abc", List.of())).isEqualTo("abc!");
        assertThat(shown).containsExactly("a", "b", "c", "!");
    }

    @Test
    void holdsBackWhatMayBecomeAStopText() {
        assertThat(feed("a<en<end", List.of("<end>"))).isEqualTo("a<en<end!");
        assertThat(shown).containsExactly("a", "", "", "", "<en", "", "", "", "<end!");
    }

    @Test
    void endsBeforeTheFirstStopText() {
        assertThat(feed("one END two", List.of("two", "END"))).isEqualTo("one ");
    }

    @Test
    void aStopTextWithinARepetition() {
        assertThat(feed("aaab", List.of("aab"))).isEqualTo("a");
    }
}
