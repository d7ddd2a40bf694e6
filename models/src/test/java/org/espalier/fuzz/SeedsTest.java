package org.espalier.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SeedsTest {

    @Test
    void triesTheSameInputsEachTime() {
        assertThat(numbers()).hasSize(20).doesNotHaveDuplicates().isEqualTo(numbers());
    }

    @Test
    void aFailureNamesItsSeedAndHowToRepeatIt() {
        List<Long> drawn = numbers();
        assertThatThrownBy(() -> Seeds.each(20, random -> {
                    if (random.nextLong() == drawn.get(6)) {
                        throw new IllegalStateException("broken");
                    }
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessage("the try of seed 7 gave java.lang.IllegalStateException: broken;"
                        + " repeat it with -Despalier.fuzz.seed=7 -Despalier.fuzz.inputs=1")
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    private static List<Long> numbers() {
        List<Long> numbers = new ArrayList<>();
        Seeds.each(20, random -> numbers.add(random.nextLong()));
        return numbers;
    }
}
