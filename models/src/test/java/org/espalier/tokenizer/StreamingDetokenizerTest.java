package org.espalier.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class StreamingDetokenizerTest {

    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() {
        tokenizer = Tokenizer.ofGguf(ByteTokenizer.gguf(), "test.gguf");
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private final StreamingDetokenizer stream = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);

    @Test
    void holdsACharacterBackUntilItIsWhole() {
        assertThat(push('a')).isEqualTo("a");
        assertThat(push(0xF0)).isEmpty();
        assertThat(push(0x9F)).isEmpty();
        assertThat(push(0x98)).isEmpty();
        assertThat(push(0x80)).isEqualTo("\uD83D\uDE00");
        assertThat(push('b')).isEqualTo("b");
        assertThat(stream.finish()).isEmpty();
    }

    @Test
    void showsAnUnfinishedCharacterOnlyAtTheEnd() {
        assertThat(push('a')).isEqualTo("a");
        assertThat(push(0xE2)).isEmpty();
        assertThat(push(0x82)).isEmpty();
        assertThat(stream.finish()).isEqualTo("\uFFFD");
        assertThat(stream.finish()).isEmpty();
        assertThat(push('z')).isEqualTo("z");
    }

    @Test
    void skipsSpecialTokens() {
        assertThat(push(ByteTokenizer.BOS)).isEmpty();
        assertThat(push('a')).isEqualTo("a");
        assertThat(push(ByteTokenizer.EOS)).isEmpty();
        assertThat(push('b')).isEqualTo("b");
    }

    /** Whatever a model writes, the pieces joined are the whole, and no piece ends in half a character. */
    @Test
    void piecesJoinedAreTheDecodedWhole() {
        Random random = new Random(1);
        for (int run = 0; run < 200; run++) {
            List<Integer> ids = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                ids.addAll(randomIds(random));
            }
            StreamingDetokenizer pieces = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            StringBuilder joined = new StringBuilder();
            ids.forEach(id -> joined.append(pieces.push(id)));
            joined.append(pieces.finish());
            int[] whole = ids.stream().mapToInt(Integer::intValue).toArray();
            assertThat(joined).hasToString(tokenizer.decode(whole, SpecialTokens.SKIP));
        }
    }

    /** Decoding all of it for each id would take minutes. */
    @Test
    void costsTheSamePerTokenHoweverLongTheText() {
        int[][] patterns = {{'a'}, {0x80}, {ByteTokenizer.BOS}, {0xF0, 0x9F, 0x98, 0x80}, {0xEF, 0xBF, 0xBD}, {99_999}};
        for (int[] pattern : patterns) {
            StreamingDetokenizer pieces = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
                for (int i = 0; i < 20_000; i++) {
                    pieces.push(pattern[i % pattern.length]);
                }
            });
        }
    }

    private static List<Integer> randomIds(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> List.of(0xE2, 0x82, 0xAC); // the euro sign
            case 1 -> List.of(0xF0, 0x9F); // half of an emoji
            case 2 -> List.of(256 + random.nextInt(3));
            case 3 -> List.of(random.nextInt(300));
            case 4 -> List.of(0xEF, 0xBF, 0xBD); // U+FFFD itself
            default -> List.of('a' + random.nextInt(26));
        };
    }

    private String push(int id) {
        return stream.push(id);
    }
}
