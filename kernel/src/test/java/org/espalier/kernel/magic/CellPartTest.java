package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.kernel.magic.CellPart.Call;
import org.espalier.kernel.magic.CellPart.Java;
import org.espalier.kernel.magic.CellPart.Shell;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CellPartTest {

    private static final String RUN = "org.espalier.kernel.magic.MagicStatement.run";

    private final Magics magics = new Magics(new NotebookCluster(), List.of());

    private List<CellPart> parts(String cell) {
        return CellPart.of(cell, magics);
    }

    private static Call call(String name, String arguments, int line) {
        return new Call(name, arguments, Optional.empty(), line);
    }

    @Test
    void aCellMagicTakesTheWholeCell() {
        Call generate = new Call("generate", "-n 5", Optional.of("line one\n%not a magic\n"), 1);
        assertThat(parts("%%generate -n 5\nline one\n%not a magic\n")).containsExactly(generate);
        assertThat(parts("\n// why\n /* a\n */ \n  %%generate x\r\na\r\n"))
                .containsExactly(new Call("generate", "x", Optional.of("a\r\n"), 5));
        assertThat(parts("%%time")).containsExactly(new Call("time", "", Optional.of(""), 1));
        assertThatThrownBy(() -> parts("int a;\n%%generate\nx"))
                .isInstanceOf(EspalierException.class)
                .hasMessage("%%generate in line 2 takes all lines of its cell: only comments may stand above it");
    }

    @Test
    void lineMagicsAndJavaMayAlternate() {
        assertThat(parts("int a = 1;\n%model load x \n\n  int b = 2;\n\t%experts"))
                .containsExactly(
                        new Java("int a = 1;\n", 1),
                        call("model", "load x ", 2),
                        new Java("\n  int b = 2;\n", 3),
                        call("experts", "", 5));
        assertThat(parts("%magics\n// only a comment\n%magics\n/* */"))
                .containsExactly(call("magics", "", 1), call("magics", "", 3));
        assertThat(parts("class A {}\n%magics\r\n"))
                .containsExactly(new Java("class A {}\n", 1), call("magics", "", 2));
    }

    @Test
    void anUnknownNameIsASlipWhereJavaCannotGoOn() {
        assertThat(parts("int a;\n%modl x")).contains(call("modl", "x", 2));
        assertThat(parts("void f() {}\n%modl x")).contains(call("modl", "x", 2));
        assertThatThrownBy(() -> parts("void f() {\n%modl x\n}"))
                .hasMessageStartingWith("there is no magic %modl: did you mean %model?");
        assertThatThrownBy(() -> parts("void f() { a();\n%modl x\n}"))
                .hasMessageStartingWith("there is no magic %modl: did you mean %model?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "int a = 7 +\n%vars",
                "int a = 7\n  % 2;",
                "int a = b\n%vars",
                "f(\n%vars",
                "int q() {\nint a = switch (b) { default -> 3; }\n%b;\nreturn a;\n}",
                "int q() {\nint a = switch (b) { default -> 3; }\n%b\n;\nreturn a;\n}",
                "String s = \"\"\"\n%vars\n\"\"\";",
                "String s = \"\"\"\n\\\"\"\"\n%vars\n \"\" \\\\\"\"\";",
                "String s = \"\"\"\n\"\"\n%vars\n\\u005c\"\"\"\n%vars\"\"\";",
                "/*\n%vars\n*/",
                "/**\n * {;\n%vars\n**/",
                "/* \"\"\" */ String s = \"/*\" + \"//\" + '\"' + '\\'' +\n%vars",
                "String s = \"a\\\\\" + \"\\\"\" +\n%vars",
                "char c = '\"', d = '{', e = '\\u0027', f = '\\\\', g =\n%vars",
                "int a = 1; // ;\nint b = a // {\n%vars",
                "String s = \"%vars\"",
                "boolean b = true\n!b",
                "boolean b = true &&\n!b",
                "boolean[] b = {\n!true,\n!false}",
                "if (a)\n!b",
                "!= 3",
                "int a = 1;\n%vars;",
                "int a = 1;\n%(x)",
                "String s = \\u0022\"\" +\n%vars\n\\u0022\"\";",
            })
    void javaStaysJava(String cell) {
        assertThat(parts(cell)).allSatisfy(part -> assertThat(part).isInstanceOf(Java.class));
        assertThat(parts(cell)).hasSizeLessThanOrEqualTo(1).isSubsetOf(new Java(cell, 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "String s = \"\"\"\n%x\n\\\"\"\" \"\"\";\n",
                "char c = '\"';\n",
                "char c = '\\'';\n",
                "String s = \"\\\\\"; // it's \"\n",
                "String s = \"\\u0022;\n",
                "String s = \"\\\\u0022\";\n",
                "String s = \"\\u005c\"\";\n",
                "String s = \"\"; /* \"\"\" ' */\n",
                "// a /* comment\n",
                "// one \\u000a int a = 1;\n",
                "class A { int[] a = {1}; }\n// it's\n/* { */\n",
                "int a = 1;\r\n",
                "int a = 1; // x\r",
                "int a = 1; // x\r\n",
                "String broken = \"never closed;\n;\n",
                "char broken = ';\n;\n",
                ")]}\n"
            })
    void aMagicAfterJavaIsOne(String java) {
        String cell = (java.endsWith("\r") ? java + "\n" : java) + "%vars";
        List<CellPart> parts = parts(cell);
        assertThat(parts.get(parts.size() - 1))
                .isEqualTo(call("vars", "", (int) cell.lines().count()));
    }

    @Test
    void aMagicInsideJavaBecomesACallInItsLine() {
        assertThat(parts("for (int i = 0; i < 3; i++) {\n    %generate -n {i} --stop \"\\n\" Say {i} \"it\\\"\n}\n"))
                .containsExactly(new Java(
                        "for (int i = 0; i < 3; i++) {\n" + RUN
                                + "(\"%generate -n {i} --stop \\\"\\\\n\\\" Say {i} \\\"it\\\\\\\"\", \"i\", i);\n}\n",
                        1));
        assertThat(parts("{\n%generate --fill {a}{b} {{c}\n}"))
                .containsExactly(
                        new Java("{\n" + RUN + "(\"%generate --fill {a}{b} {{c}\", \"a\", a, \"b\", b);\n}", 1));
        assertThat(parts("if (x) { // why\r\n  %magics\r\n%vars\t\n}"))
                .containsExactly(
                        new Java("if (x) { // why\r\n" + RUN + "(\"%magics\");\r\n" + RUN + "(\"%vars\");\n}", 1));
        assertThatThrownBy(() -> parts("{\n%time f()\n}"))
                .hasMessage("%time in line 2 runs code of its own: it stands between statements of the cell, not inside"
                        + " a block");
        assertThatThrownBy(() -> parts("{\n%%time f()\n}")).hasMessageStartingWith("%%time in line 2 takes all lines");
        assertThatThrownBy(() -> parts("{\n%generate --rw x\n}")).hasMessageContaining("did you mean --raw?");
    }

    @Test
    void aCommandOfTheSystemKeepsTheJavaThatItMayBe() {
        assertThat(parts("int a = 1;\n!ls -l it's\nint b = 2;\n%vars\n !x"))
                .containsExactly(
                        new Java("int a = 1;\n", 1),
                        new Shell("ls -l it's", new Java("!ls -l it's\nint b = 2;\n", 2), new Java("int b = 2;\n", 3)),
                        call("vars", "", 4),
                        new Shell("x", new Java(" !x", 5), new Java("", 6)));
        assertThat(parts("{\n!x\n}")).containsExactly(new Java("{\n!x\n}", 1));
    }

    @Test
    void anEmptyCellHasNoParts() {
        assertThat(parts("")).isEmpty();
        assertThat(parts(" \n\n")).isEmpty();
        assertThat(parts("// x\n/* y")).isEmpty();
    }

    /** Twice the cell takes twice the steps: 8 MB would not end in a minute if they were squared. */
    @Test
    void aHugeCellIsTakenApart() {
        String lines = "int a = 1;\n%vars\nfor (;;) {\n  %help {a}\n}\n";
        List<CellPart> parts = parts(lines.repeat(40_000));
        assertThat(parts).hasSize(80_001);
        assertThat(parts.get(79_999)).isEqualTo(call("vars", "", 199_997));
        assertThat(parts("int a = 1;\n" + "// it's\n".repeat(500_000) + "%vars\n"))
                .hasSize(2);
        assertThat(parts("x(".repeat(1_000_000) + "\n%vars")).hasSize(1);
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
        assertThatThrownBy(() -> magics.named("generat"))
                .hasMessageStartingWith("there is no magic %generat: did you mean %generate? There are %cluster,");
        assertThatThrownBy(() -> magics.named("sudo")).hasMessageStartingWith("there is no magic %sudo. There are");
        assertThat(magics.all()).allSatisfy(magic -> {
            assertThat(magic.summary()).isNotBlank();
            assertThat(magic.usage()).contains("%" + magic.name());
        });
    }
}
