package org.espalier.node.doctor;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.node.shard.Engines;
import org.espalier.program.Program;

/** Measures one thing of an engine in a process of its own, and prints lines for whoever started it. */
public final class Probe {

    /** Begins a line of a name and a number. */
    static final String MEASURED = "measured ";

    /** Begins a line that says what the engine chose. */
    static final String CHOSE = "chose ";

    private static final long SESSION = 1;
    private static final int REPETITIONS = 5;
    private static final long READ_BYTES = 1L << 30;

    /** What is measured. */
    enum Kind {
        /** Bytes a second. */
        READ,
        /** Seconds of an exchange, beside the products around it. */
        CROSSING,
        /** Bytes of weights, and seconds of a step of 1 to 64 rows of dense products. */
        ROWS,
        /** Bytes of weights that one row reads, and seconds of a step of one row of a mixture. */
        DECODE,
        /** Nothing: a mixture runs with one row and with four, and what the engine chose for it is said. */
        EXPERTS,
        /** Seconds of a step of 256 rows of a mixture. */
        PREFILL
    }

    private final Engines engines;
    private final String engine;
    private final int layers;
    private final ProbeModel model;

    private Probe(Engines engines, String engine, int layers, ProbeModel model) {
        this.engines = engines;
        this.engine = engine;
        this.layers = layers;
        this.model = model;
    }

    /** @param arguments engine, kind, layers, and the file for the weights, which whoever started it deletes too, for a process that is killed does not */
    public static void main(String[] arguments) throws IOException {
        System.setProperty("jna.platform.library.path", "");
        Path file = Path.of(arguments[3]);
        new DaemonThreads("espalier-parent")
                .newThread(() -> endWithParent(file))
                .start();
        Kind kind = Kind.valueOf(arguments[1]);
        try (ProbeModel model = new ProbeModel(file);
                Engines engines = new Engines("")) {
            new Probe(engines, arguments[0], Integer.parseInt(arguments[2]), model).measure(kind);
        } catch (EspalierException e) {
            System.out.println(e.getMessage());
            System.exit(1);
        } finally {
            Files.deleteIfExists(file); // whoever started it may be gone
        }
        System.exit(0);
    }

    /** Whoever started it holds its input open, and has no other way to end it when it is killed. */
    private static void endWithParent(Path file) {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // then it stays
        }
        Runtime.getRuntime().halt(1);
    }

    private void measure(Kind kind) throws IOException {
        switch (kind) {
            case READ ->
                run(
                        model.products(layers),
                        loaded -> say(
                                "rate",
                                bestRate(() -> loaded.readRate(Executor.ReadSource.OWN, READ_BYTES)
                                        .orElse(0))));
            case CROSSING -> {
                double[] without = new double[1];
                run(model.crossings(layers, false), loaded -> without[0] = seconds(loaded, 1));
                run(
                        model.crossings(layers, true),
                        loaded -> say("seconds", Math.max(0, seconds(loaded, 1) - without[0]) / layers));
            }
            case ROWS ->
                run(model.products(layers), loaded -> {
                    say("bytes", loaded.residentBytes());
                    for (int rows = 1; rows <= 64; rows *= 2) {
                        say("rows" + rows, seconds(loaded, rows));
                    }
                });
            case DECODE ->
                run(model.mixture(layers), loaded -> {
                    say("bytes", loaded.residentBytes() / 8.0); // 8 of 64 experts
                    say("seconds", seconds(loaded, 1));
                });
            case EXPERTS ->
                run(model.mixture(layers), loaded -> {
                    seconds(loaded, 1);
                    seconds(loaded, 4);
                    loaded.choices().forEach(choice -> System.out.println(CHOSE + choice));
                });
            case PREFILL -> run(model.mixture(layers), loaded -> say("seconds", seconds(loaded, 256)));
        }
    }

    private interface Measuring {
        void of(LoadedProgram loaded);
    }

    private void run(Program program, Measuring measuring) {
        Engine chosen = engines.choose(engine, program, EngineOptions.FLOAT32);
        boolean fast = chosen.provider().precisions().contains(Precision.FAST);
        EngineOptions options = EngineOptions.FLOAT32.with(fast ? Precision.FAST : Precision.FLOAT32);
        try (LoadedProgram loaded = LoadedProgram.load(chosen, program, options, Loading.quietly())) {
            measuring.of(loaded);
        }
    }

    /** Of a step of so many rows: the median of some, after one that does not count. */
    private static double seconds(LoadedProgram loaded, int rows) {
        ByteBuffer zeros = ByteBuffer.allocateDirect(rows * loaded.program().hidden() * loaded.activationBytes());
        for (int i = 0; i < zeros.capacity(); i += loaded.activationBytes()) {
            zeros.put(i + loaded.activationBytes() - 1, (byte) 0x3f); // 0.5 in both formats
        }
        double[] each = new double[REPETITIONS];
        loaded.open(SESSION, rows * (REPETITIONS + 1), RouterEdits.NONE);
        for (int i = -1; i < REPETITIONS; i++) {
            Step.Entry entry = Step.Entry.ofRows(SESSION, rows * (i + 1), rows, Step.Logits.NONE);
            long start = System.nanoTime();
            loaded.run(new Step(List.of(entry), zeros.duplicate(), Set.of()), Exchange.ALONE, new Cancel());
            if (i >= 0) {
                each[i] = (System.nanoTime() - start) * 1e-9;
            }
        }
        loaded.close(SESSION);
        Arrays.sort(each);
        return each[REPETITIONS / 2];
    }

    /** The best of some passes after one that does not count, which makes kernels and wakes the device. */
    static double bestRate(DoubleSupplier pass) {
        pass.getAsDouble();
        return IntStream.range(0, REPETITIONS)
                .mapToDouble(i -> pass.getAsDouble())
                .max()
                .orElseThrow();
    }

    private static void say(String name, double value) {
        System.out.println(MEASURED + name + " " + String.format(Locale.ROOT, "%.9g", value));
    }
}
