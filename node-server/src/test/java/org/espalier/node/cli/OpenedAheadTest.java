package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.espalier.model.Model;
import org.espalier.model.ModelNotFoundException;
import org.espalier.node.bench.BenchProgram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenedAheadTest {

    private static final String LLAMA = model("llama-tiny/hf");
    private static final String OTHER = model("qwen3_moe-tiny/hf");

    private static String model(String name) {
        return Path.of("../models/src/test/resources/models", name)
                .toAbsolutePath()
                .normalize()
                .toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench -p 1 --model NAME --json", "bench --model=NAME"})
    void isOfTheModelThatTheArgumentsName(String command) {
        OpenedAhead.begin(List.of(command.replace("NAME", LLAMA).split(" ")));

        OpenedAhead first = OpenedAhead.take(LLAMA);
        OpenedAhead second = OpenedAhead.take(LLAMA);

        try (Model opened = first.model();
                Model again = second.model()) {
            assertThat(opened.path()).isEqualTo(Path.of(LLAMA));
            assertThat(first.program().ops())
                    .usingRecursiveComparison()
                    .isEqualTo(BenchProgram.of(opened, 0).ops());
            assertThat(again).as("each caller closes its own").isNotSameAs(opened);
        }
    }

    @Test
    void anotherModelIsOpenedWhenItIsAskedFor() {
        OpenedAhead.begin(List.of("bench", "--model", LLAMA));
        try (Model opened = OpenedAhead.take(OTHER).model()) {
            assertThat(opened.path()).isEqualTo(Path.of(OTHER));
        }
    }

    @Test
    void whatFailsIsToldToWhoeverTakesIt() {
        OpenedAhead.begin(List.of("bench", "--model", "no-such-model"));
        assertThatThrownBy(() -> OpenedAhead.take("no-such-model")).isInstanceOf(ModelNotFoundException.class);
        OpenedAhead.begin(List.of("bench", "--model"));
        assertThatThrownBy(() -> OpenedAhead.take("no-such-model")).isInstanceOf(ModelNotFoundException.class);
    }
}
