package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.engine.library.Recording;
import org.espalier.engine.reference.ReferenceProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That espalier-check sees what is wrong; {@link ReplayTest} shows that all else is right. */
final class EspalierCheckTest {

    private static final Path PROGRAM = Path.of("target/c/espalier-check").toAbsolutePath();

    @TempDir
    Path directory;

    private Path recording;

    private record Ended(int status, String report) {}

    @BeforeEach
    void record() {
        assumeTrue(Files.exists(PROGRAM), "espalier-check was not built");
        recording = directory.resolve("r");
        Recording.Weights copied = Recording.Weights.COPIED;
        try (Engine engine = new Recording(recording, copied).of(new ReferenceProvider().start());
                LoadedProgram loaded = LoadedProgram.load(
                        engine,
                        TinyProgram.tokens(new WeightFile(directory)),
                        EngineOptions.FLOAT32,
                        Loading.quietly())) {
            loaded.open(7, 9, RouterEdits.NONE);
            Step step = Step.of(Step.Entry.ofTokens(7, 0, new int[] {3, 1}, Step.Logits.ALL));
            loaded.run(step, Exchange.ALONE, new Cancel());
        }
    }

    private Ended check(String... options) throws IOException, InterruptedException {
        List<String> words = Stream.of(
                        List.of(PROGRAM.toString()), Arrays.asList(options), List.of(recording.toString()))
                .flatMap(List::stream)
                .toList();
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String report = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), report);
    }

    private void change(String name, int byteFromEnd, int to) throws IOException {
        Path file = recording.resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - byteFromEnd] = (byte) to;
        Files.write(file, bytes);
    }

    @Test
    void anotherAnswerIsADifference() throws IOException, InterruptedException {
        assertThat(check().status()).isZero();
        // behind the last logit: tokens, width, experts, weights and hidden rows, which are none, and the call that
        // closes nothing
        change("calls", 4 * 5 + 1, 0x42); // the sign and the upper bits of its exponent: about 32
        Ended ended = check();
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.report())
                .containsPattern("logits +2 compared, differ by at most .*, call 1, row 1\\): too much");
        assertThat(check("--tolerance", "2").status()).isZero();
    }

    /** The recording leaves its session open: a pass closes what the one before opened. */
    @Test
    void passesRepeatTheCallsOfOneProgram() throws IOException, InterruptedException {
        Ended ended = check("--passes", "3", "--times");
        assertThat(ended.status()).as(ended.report()).isZero();
        assertThat(ended.report())
                .containsPattern("(?s)(call 1: 2 rows, [0-9.]+ ms.*){3}")
                .containsPattern("logits +6 compared")
                .contains("1 recordings, 6 calls");
    }

    @Test
    void aRecordingThatIsCutOffCannotBeReplayed() throws IOException, InterruptedException {
        Path calls = recording.resolve("calls");
        byte[] bytes = Files.readAllBytes(calls);
        Files.write(calls, Arrays.copyOf(bytes, bytes.length - 8));
        Ended ended = check();
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.report()).contains("calls is cut off");
    }

    @Test
    void whatTheEngineRefusesIsSaid() throws IOException, InterruptedException {
        Files.write(recording.resolve("weights-0"), new byte[64]);
        Ended ended = check();
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.report()).contains("es_load").contains("of weights-0, which has 64: the file is cut off");
    }

    /** One word after the other, of the program and of the calls: whatever it says then, no signal ends the process. */
    @Test
    void aDamagedWordIsNoCrash() throws IOException, InterruptedException {
        for (String name : List.of("program", "calls")) {
            Path file = recording.resolve(name);
            byte[] whole = Files.readAllBytes(file);
            for (int at = 0; at < whole.length; at += Integer.BYTES) {
                for (int word : new int[] {-1, 3, Integer.MAX_VALUE}) {
                    ByteBuffer damaged = ByteBuffer.wrap(whole.clone())
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putInt(at, word);
                    Files.write(file, damaged.array());
                    Ended ended = check("--threads", "1");
                    assertThat(ended.status())
                            .as("%s, byte %d is %d: %s", name, at, word, ended.report())
                            .isBetween(0, 2);
                }
            }
            Files.write(file, whole);
        }
    }
}
