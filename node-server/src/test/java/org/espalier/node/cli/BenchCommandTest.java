package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.library.LibraryProvider;
import org.junit.jupiter.api.Test;

class BenchCommandTest {

    private static final String DEEPSEEK =
            Command.MODELS.resolve("deepseek_v3-tiny/hf").toString();

    @Test
    void measuresBothRates() throws IOException {
        Command command = Command.run(
                "bench", "--model", DEEPSEEK, "--engine", "reference", "-p", "5", "-n", "3", "-r", "1", "--json");

        assertThat(command.err()).isEmpty();
        JsonNode json = new ObjectMapper().readTree(command.out());
        assertThat(json.path("engine").textValue()).isEqualTo("reference");
        assertThat(json.path("prefillTokens").intValue()).isEqualTo(5);
        assertThat(json.path("decodeTokens").intValue()).isEqualTo(3);
        assertThat(json.path("prefillTokensPerSecond").doubleValue()).isPositive();
        assertThat(json.path("decodeTokensPerSecond").doubleValue()).isPositive();
        assertThat(json.path("firstTokenSeconds").doubleValue()).isPositive();
        assertThat(json.path("residentBytes").longValue()).isGreaterThan(1 << 20);
    }

    /** Its weights are fewer than reading is measured by; all else is. */
    @Test
    void aModelThatIsTooSmallForAReadingRateHasTheOthers() throws IOException {
        EngineProvider cpu = LibraryProvider.cpu();
        assumeTrue(cpu.availability() instanceof EngineProvider.Availability.Ready, "there is no cpu engine here");
        String[] bench = {"bench", "--model", DEEPSEEK, "--engine", "cpu", "-p", "5", "-n", "3", "-r", "1"};
        Command table = Command.run(bench);
        String[] withJson = Arrays.copyOf(bench, bench.length + 1);
        withJson[bench.length] = "--json";
        Command command = Command.run(withJson);

        assertThat(table.err()).isEmpty();
        assertThat(table.exit()).isZero();
        assertThat(table.out())
                .contains("pp5 ", "tg3 ")
                .containsPattern("where they lie: too little of them for a rate; memory in huge pages: [0-9.]+ GB/s\n");
        assertThat(command.err()).isEmpty();
        assertThat(command.exit()).isZero();
        JsonNode json = new ObjectMapper().readTree(command.out());
        assertThat(json.path("decodeTokensPerSecond").doubleValue()).isPositive();
        assertThat(json.path("readBandwidth").doubleValue()).isPositive();
        assertThat(json.has("mappedReadBandwidth")).isFalse();
    }

    @Test
    void moreLayersReadMore() throws IOException {
        long model = bytesPerToken("0");
        long more = bytesPerToken("6");
        long most = bytesPerToken("8");

        assertThat(more).isGreaterThan(model);
        assertThat(most - more).isEqualTo(more - model); // two layers like the last one, twice
    }

    private static long bytesPerToken(String layers) throws IOException {
        Command command = Command.run(
                "bench",
                "--model",
                DEEPSEEK,
                "--engine",
                "reference",
                "-p",
                "0",
                "-n",
                "1",
                "-r",
                "1",
                "--json",
                "--repeat-layers",
                layers);
        assertThat(command.err()).isEmpty();
        return new ObjectMapper().readTree(command.out()).path("bytesPerToken").longValue();
    }

    @Test
    void refusesWhatTheModelCannot() {
        Command command = Command.run("bench", "--model", DEEPSEEK, "-p", "2000000000");

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err())
                .contains("-p is 2000000000")
                .contains("context of")
                .hasLineCount(1);
        assertThat(Command.run("bench", "--model", DEEPSEEK, "--repeat-layers", "100000")
                        .err())
                .contains("--repeat-layers 0 to 1024");
        assertThat(Command.run("bench", "--model", DEEPSEEK, "--repeat-layers", "2")
                        .err())
                .contains("has 4 layers");
    }

    @Test
    void namesTheMisspeltOptionInPlaceOfTheMissingOne() {
        Command command = Command.run("bench", "--modle", DEEPSEEK);

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("Unknown option: '--modle'").contains("Possible solutions: --model");
        assertThat(Command.run("bench", "-p", "1").err()).contains("Missing required option: '--model=M'");
    }
}
