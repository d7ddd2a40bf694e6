package org.espalier.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.espalier.kernel.jupyter.Message;
import org.junit.jupiter.api.Test;

class HistoryTest {

    private final History history = new History();

    HistoryTest() {
        history.add(1, "1 + 1", "2");
        history.add(2, "int a = 3;", null);
        history.add(3, "1 + 1", "2");
    }

    private static ObjectNode request(String type) {
        return Message.object().put("hist_access_type", type);
    }

    @Test
    void tailGivesTheLast() {
        assertThat(history.reply(request("tail").put("n", 2)).get("history").toString())
                .isEqualTo("[[0,2,\"int a = 3;\"],[0,3,\"1 + 1\"]]");
        assertThat(history.reply(request("tail").put("n", -5)).get("history")).isEmpty();
    }

    @Test
    void rangeEndsBeforeItsStop() {
        assertThat(history.reply(request("range").put("start", 1).put("stop", 3))
                        .get("history"))
                .hasSize(2);
    }

    @Test
    void searchTakesWildcardsAndMayDropRepetitions() {
        assertThat(history.reply(request("search").put("pattern", "1 ? *")).get("history"))
                .hasSize(2);
        ObjectNode unique = history.reply(request("search").put("pattern", "1*").put("unique", true));
        assertThat(unique.get("history")).hasSize(1);
        assertThat(history.reply(request("search").put("pattern", "(1")).get("history"))
                .isEmpty();
    }

    @Test
    void outputComesWhenAskedFor() {
        assertThat(history.reply(request("tail").put("n", 1).put("output", true))
                        .get("history")
                        .toString())
                .isEqualTo("[[0,3,[\"1 + 1\",\"2\"]]]");
    }
}
