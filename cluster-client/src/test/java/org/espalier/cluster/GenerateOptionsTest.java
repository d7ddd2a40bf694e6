package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.routing.LayerEdit;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingOption;
import org.junit.jupiter.api.Test;

class GenerateOptionsTest {

    private static final GenerateOptions DEFAULTS = GenerateOptions.defaults();

    @Test
    void everyOptionIsKeptWhereItBelongs() {
        List<LayerEdit> edits = List.of(LayerEdit.of(5).banning(3, 17));
        GenerateOptions all = DEFAULTS.withMaxTokens(1)
                .withTemperature(0.5)
                .withTopK(2)
                .withTopP(0.75)
                .withRepetitionPenalty(1.5)
                .withSeed(3)
                .withStop(List.of("."))
                .ignoringEos()
                .withRouting()
                .withPromptLogits()
                .withPromptScore()
                .withEdits(edits);
        Sampling sampling = new Sampling(Map.of(
                SamplingOption.TEMPERATURE, 0.5f,
                SamplingOption.TOP_K, 2L,
                SamplingOption.TOP_P, 0.75f,
                SamplingOption.REPETITION_PENALTY, 1.5f,
                SamplingOption.SEED, 3L));
        assertThat(all)
                .isEqualTo(new GenerateOptions(
                        1, sampling, List.of("."), EnumSet.allOf(GenerateOptions.Request.class), edits));
        assertThat(DEFAULTS).isEqualTo(new GenerateOptions(256, Sampling.GREEDY, List.of(), Set.of(), List.of()));
        assertThat(List.of(all.ignoreEos(), all.routing(), all.promptLogits(), all.promptScore()))
                .containsOnly(true);
        assertThat(List.of(DEFAULTS.ignoreEos(), DEFAULTS.routing(), DEFAULTS.promptLogits(), DEFAULTS.promptScore()))
                .containsOnly(false);
    }

    @Test
    void whatMakesNoSenseIsRefusedByName() {
        assertThatThrownBy(() -> DEFAULTS.withMaxTokens(-1)).hasMessage("maxTokens is -1: expected 0 or more");
        assertThatThrownBy(() -> DEFAULTS.withTemperature(Double.NaN)).hasMessageContaining("temperature is NaN");
        assertThatThrownBy(() -> DEFAULTS.withTopP(0)).hasMessageContaining("top-p is 0.0");
        assertThatThrownBy(() -> DEFAULTS.withStop(List.of(""))).hasMessageContaining("a stop text is empty");
    }

    @Test
    void editsAddUp() {
        LayerEdit edit = LayerEdit.of(5)
                .banning(3)
                .banning(List.of(17, 3))
                .forcing(1)
                .forcing(2)
                .keeping(3)
                .scaledBy(0.5);
        assertThat(edit.ban()).containsExactlyInAnyOrder(3, 17);
        assertThat(edit.force()).containsExactlyInAnyOrder(1, 2);
        assertThat(edit.topK()).isEqualTo(3);
        assertThat(edit.scale()).isEqualTo(0.5f);
    }
}
