package org.espalier.kernel.dependencies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoordinatesTest {

    @Test
    void aClassifierStandsBehindTheVersionOrAsInMaven() {
        assertThat(Coordinates.parse("a.b:c:1.0")).isEqualTo(new Coordinates("a.b", "c", "jar", "", "1.0"));
        assertThat(Coordinates.parse("a.b:c:1.0:tests")).isEqualTo(new Coordinates("a.b", "c", "jar", "tests", "1.0"));
        assertThat(Coordinates.parse("a.b:c:zip:linux:1.0"))
                .isEqualTo(new Coordinates("a.b", "c", "zip", "linux", "1.0"));
        assertThat(Coordinates.parse("a.b:c:[1.0,2.0)").version()).isEqualTo("[1.0,2.0)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"guava", "a:b", "a:b:", "a::1", "a:b:1:2:3:4", "a:b/c:1", "a:b:1@pom"})
    void anythingElseIsASentenceWithAnExample(String text) {
        assertThatThrownBy(() -> Coordinates.parse(text))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith("'" + text + "' is not GROUP:ARTIFACT:VERSION, for instance");
    }
}
