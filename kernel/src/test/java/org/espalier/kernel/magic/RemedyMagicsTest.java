package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;

import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RemedyMagicsTest {

    @ParameterizedTest
    @EnumSource
    void everyRemedyIsToldAsAMagicOrAnOptionOfOne(Remedy remedy) {
        String sentence = RemedyMagics.sentence(new EspalierException("it failed", remedy));
        assertThat(sentence)
                .startsWith("it failed; ")
                .containsPattern("`(%(cluster|model)|--nodes)")
                .doesNotContain(remedy.words());
    }

    @Test
    void withoutARemedyItIsTheMessage() {
        assertThat(RemedyMagics.sentence(new EspalierException("it failed: do this")))
                .isEqualTo("it failed: do this");
    }

    @Test
    void namesTheMagicThatHelps() {
        assertThat(RemedyMagics.sentence(new EspalierException("no model is loaded", Remedy.LOAD)))
                .isEqualTo("no model is loaded; run `%model load PATH-OR-NAME` first");
        assertThat(RemedyMagics.sentence(new EspalierException("node n1 is lost", Remedy.LOAD_AGAIN)))
                .isEqualTo(
                        "node n1 is lost; run `%model load` to place the model again, `%cluster` to see the nodes that"
                                + " are left");
        assertThat(new EspalierException("no model is loaded", Remedy.LOAD))
                .hasMessage("no model is loaded; load a model first");
    }
}
