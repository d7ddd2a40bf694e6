package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.kernel.magic.CellPart.Call;
import org.espalier.kernel.magic.CellPart.Java;
import org.junit.jupiter.api.Test;

class CellPartTest {

    /** Stands for the analysis of Java: an open brace or an operator at the end goes on. */
    private static List<CellPart> parts(String cell) {
        return CellPart.of(
                cell, code -> !code.strip().endsWith("+") && !code.strip().endsWith("{"));
    }

    @Test
    void aCellMagicTakesTheWholeCell() {
        assertThat(parts("%%generate -n 5\nline one\n%not a magic\n"))
                .containsExactly(new Call("generate", "-n 5", Optional.of("line one\n%not a magic\n")));
    }

    @Test
    void lineMagicsAndJavaMayAlternate() {
        assertThat(parts("int a = 1;\n%model load x \nint b = 2;\n%experts"))
                .containsExactly(
                        new Java("int a = 1;\n"),
                        new Call("model", "load x ", Optional.empty()),
                        new Java("int b = 2;\n"),
                        new Call("experts", "", Optional.empty()));
    }

    @Test
    void aRemainderInUnfinishedJavaIsNoMagic() {
        assertThat(parts("int a = 7 +\n%b")).containsExactly(new Java("int a = 7 +\n%b\n"));
        assertThat(parts("int a = 7\n  % 2;")).containsExactly(new Java("int a = 7\n  % 2;\n"));
    }

    @Test
    void anEmptyCellHasNoParts() {
        assertThat(parts("")).isEmpty();
        assertThat(parts(" \n\n")).isEmpty();
    }

    @Test
    void wordsAreSplitAsInAShell() {
        assertThat(Words.of("load 'my model' --stop \"a \\\"b\\\"\" c\\ d ''"))
                .containsExactly("load", "my model", "--stop", "a \"b\"", "c d", "");
        assertThat(Words.of("  ")).isEmpty();
        assertThatThrownBy(() -> Words.of("load 'my model"))
                .isInstanceOf(EspalierException.class)
                .hasMessage("a quote ' is not closed in: load 'my model");
    }

    @Test
    void anUnknownMagicNamesTheNearest() {
        Magics magics = new Magics(new NotebookCluster(), List.of());
        assertThatThrownBy(() -> magics.named("generat"))
                .hasMessage("there is no magic %generat: did you mean %generate?"
                        + " There are %cluster, %experts, %generate, %help, %magics, %model");
        assertThatThrownBy(() -> magics.named("timeit")).hasMessageStartingWith("there is no magic %timeit. There are");
        assertThat(magics.all()).allSatisfy(magic -> {
            assertThat(magic.summary()).isNotBlank();
            assertThat(magic.usage()).contains("%" + magic.name());
        });
    }
}
