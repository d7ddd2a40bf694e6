package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;

class LineTest {

    private static final CommandSpec GENERATE =
            Options.spec(new GenerateMagic(null).commands().get(0));

    private static Line line(String line) {
        return Line.of(line, GENERATE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "What's the time?",
                "say \"hello  world\"",
                "a \\n b",
                "a\tb  ",
                "ends in \\",
                "x -n 5 -- y",
                "\u2028 \u0085 \r",
                "@x"
            })
    void aTextIsKeptByteForByte(String text) {
        assertThat(line(text)).isEqualTo(new Line(List.of(), text));
        assertThat(line("  --raw \t" + text)).isEqualTo(new Line(List.of("--raw"), text));
        assertThat(line("--raw --  " + text)).isEqualTo(new Line(List.of("--raw"), " " + text));
    }

    @Test
    void optionsAreWordsAndTakeTheirValuesWithThem() {
        assertThat(line("-n 5 --system \"Be brief\" --stop='a b' -n6 Hi there"))
                .isEqualTo(new Line(List.of("-n", "5", "--system", "Be brief", "--stop=a b", "-n6"), "Hi there"));
        assertThat(line("--temperature -1 x")).isEqualTo(new Line(List.of("--temperature", "-1"), "x"));
        assertThat(line("--raw")).isEqualTo(new Line(List.of("--raw"), ""));
        assertThat(line("--max-tokens")).isEqualTo(new Line(List.of("--max-tokens"), ""));
        assertThat(line("-- ")).isEqualTo(new Line(List.of(), ""));
        assertThat(line("--")).isEqualTo(new Line(List.of(), ""));
    }

    @Test
    void aDashThatIsNoOptionIsAnError() {
        assertThatThrownBy(() -> line("--temprature 1 x"))
                .isInstanceOf(EspalierException.class)
                .hasMessage("%generate has no option --temprature: did you mean --temperature?"
                        + " (a text that begins with - goes after --)\n`%help generate` lists what it takes");
        assertThatThrownBy(() -> line("- x")).hasMessageStartingWith("%generate has no option - (a text");
        assertThatThrownBy(() -> line("--system \"never closed"))
                .hasMessageStartingWith("a quote \" is not closed in: ");
    }

    @Test
    void valuesTakeThePlaceOfNames() {
        Map<String, String> values = Map.of("n", "5", "größe", "$1\\{n}", "_a$", "");
        assertThat(Placeholders.fill("{n}.{n} {größe}{_a$} {{n} {} {1} { n } ${n} {{{n}", values::get))
                .isEqualTo("5.5 $1\\{n} {n} {} {1} { n } $5 {5");
        assertThat(Placeholders.names("{n} {{m} {größe} {1} {{{k}")).containsExactly("größe", "k", "n");
    }
}
