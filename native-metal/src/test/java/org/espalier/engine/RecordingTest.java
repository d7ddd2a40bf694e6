package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.engine.library.Recording;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of a recording, read as RECORDING.md says. */
final class RecordingTest {

    private static final int OPEN = 0;
    private static final int COPY_ROWS = 1;
    private static final int DROP_ROWS = 4;
    private static final int CLOSE = 5;
    private static final int RUN = 6;

    @TempDir
    Path directory;

    private Program program() throws IOException {
        return TinyProgram.tokens(new WeightFile(Files.createDirectories(directory.resolve("model"))));
    }

    private List<float[][]> record(Program program, Path to, Recording.Weights weights) {
        try (Engine engine = new Recording(to, weights).of(new ReferenceProvider().start());
                LoadedProgram loaded = LoadedProgram.load(engine, program, EngineOptions.FLOAT32, Loading.quietly())) {
            List<float[][]> logits = new ArrayList<>();
            loaded.open(7, 9, RouterEdits.NONE);
            logits.add(run(loaded, 7, 3, 1));
            loaded.fork(7, 8, 1);
            logits.add(run(loaded, 8, 4));
            loaded.truncate(7, 0);
            loaded.close(7);
            return logits;
        }
    }

    private static float[][] run(LoadedProgram program, long session, int... tokens) {
        int at = program.length(session);
        Step step = Step.of(Step.Entry.ofTokens(session, at, tokens, Step.Logits.ALL));
        return program.run(step, Exchange.ALONE, new Cancel()).logits();
    }

    private static ByteBuffer words(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer part(ByteBuffer words, int count) {
        ByteBuffer part = words.slice().order(ByteOrder.LITTLE_ENDIAN).limit(4 * count);
        words.position(words.position() + 4 * count);
        return part;
    }

    private static ByteBuffer bytes(ByteBuffer words) {
        int count = words.getInt();
        return part(words, (count + 3) / 4).limit(count);
    }

    @Test
    void callsAreKeptWithTheirResults() throws IOException {
        Path to = directory.resolve("recording");
        List<float[][]> logits = record(program(), to, Recording.Weights.IN_PLACE);
        ByteBuffer calls = words(to.resolve("calls"));
        List<Integer> kinds = new ArrayList<>();
        List<ByteBuffer> runs = new ArrayList<>();
        while (calls.hasRemaining()) {
            kinds.add(calls.getInt());
            ByteBuffer call = part(calls, calls.getInt());
            if (kinds.get(kinds.size() - 1) == RUN) {
                runs.add(call);
            }
        }
        assertThat(kinds).containsExactly(OPEN, RUN, COPY_ROWS, RUN, DROP_ROWS, CLOSE);
        ByteBuffer step = part(runs.get(0), runs.get(0).getInt());
        assertThat(step.remaining()).isEqualTo(4 * (2 + 6 + 2));
        assertThat(bytes(runs.get(0)).remaining()).as("activations").isZero();
        assertThat(runs.get(0).getInt()).as("exchanges").isEqualTo(2);
        ByteBuffer given = null;
        for (int moment = 0; moment < 2; moment++) {
            assertThat(runs.get(0).getInt()).as("op").isEqualTo(6);
            assertThat(runs.get(0).getInt()).as("moment").isEqualTo(moment);
            assertThat(runs.get(0).getInt()).as("outcome").isZero();
            ByteBuffer values = bytes(runs.get(0));
            assertThat(values.remaining()).isEqualTo(2 * 8 * Float.BYTES);
            given = moment == 0 ? values : given;
            assertThat(values).isEqualTo(given);
        }
        assertThat(bytes(runs.get(0)).remaining()).as("activations").isZero();
        assertThat(runs.get(0).getInt()).as("rows of logits").isEqualTo(2);
        ByteBuffer values = bytes(runs.get(0));
        for (float[] row : logits.get(0)) {
            for (float logit : row) {
                assertThat(values.getFloat()).isEqualTo(logit);
            }
        }
        assertThat(values.hasRemaining()).isFalse();
        assertThat(runs.get(0).remaining())
                .as("no tokens, routing or hidden rows")
                .isEqualTo(4 * 5);
    }

    /** The paths that a program of one file names. */
    private static String file(Path recording) throws IOException {
        ByteBuffer words = words(recording.resolve("program"));
        assertThat(words.getInt()).isEqualTo(0x4c505345);
        words.position(4 * (2 + 9 + 1));
        words.position(words.position() + 4 * (1 + words.getInt(words.position())) + 4 * 9); // slots, views
        words.position(words.position() + 4 * (1 + 3 * words.getInt(words.position()))); // caches
        assertThat(words.getInt()).as("files").isOne();
        return StandardCharsets.UTF_8.decode(bytes(words)).toString();
    }

    @Test
    void filesAreNamedFromTheRecording() throws IOException {
        Program program = program();
        Path model = program.weight("q").pieces().get(0).values().file();
        Path to = directory.resolve("a/recording");
        record(program, to, Recording.Weights.IN_PLACE);
        assertThat(to.toRealPath().resolve(file(to)).toRealPath()).isEqualTo(model.toRealPath());
        Path copied = directory.resolve("copied");
        record(program, copied, Recording.Weights.COPIED);
        assertThat(file(copied)).isEqualTo("weights-0");
        assertThat(Files.size(copied.resolve("weights-0"))).isLessThanOrEqualTo(Files.size(model) + 64);
    }

    @Test
    void aFolderThatIsNotEmptyIsRefused() throws IOException {
        Program program = program();
        record(program, directory.resolve("r"), Recording.Weights.IN_PLACE);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> record(program, directory.resolve("r"), Recording.Weights.IN_PLACE))
                .withMessage("cannot record to " + directory.resolve("r")
                        + ", which is not empty: a recording is of one program");
    }

    @Test
    void aFileWhereTheFolderIsToBeIsRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("r"));
        Program program = program();
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> record(program, file, Recording.Weights.IN_PLACE))
                .withMessage("cannot record to " + file + ": it already exists");
    }
}
