package org.espalier.node.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.quantize.Quantizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "quantize",
        description = "Writes an MLX checkpoint with few bits a weight from a Hugging Face one.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class QuantizeCommand implements Callable<Integer> {

    private static final long BETWEEN_LINES = 2_000_000_000L; // nanoseconds

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "SRC", description = "Directory or name of the model.")
    private String model;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "New folder; must not exist yet.")
    private Path out;

    @Option(names = "--bits", paramLabel = "N", defaultValue = "4", description = "2, 3, 4, 5, 6 or 8 bits a weight.")
    private int bits;

    @Option(
            names = "--group",
            paramLabel = "N",
            defaultValue = "64",
            description = "32, 64 or 128 weights that share a scale.")
    private int group;

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        Path source;
        try (Model found = ModelCatalogue.ofThisMachine().open(model)) {
            source = found.path();
        }
        long started = System.nanoTime();
        AtomicLong nextLine = new AtomicLong(started + BETWEEN_LINES);
        try (InterruptAtExit interrupt = new InterruptAtExit()) {
            Quantizer.convert(source, out, new Quantizer.Settings(bits, group), (written, total) -> {
                long now = System.nanoTime();
                long due = nextLine.get();
                if (now >= due && nextLine.compareAndSet(due, now + BETWEEN_LINES)) {
                    err.println(line(written, total, (now - started) / 1e9));
                    err.flush();
                }
            });
        }
        new Output(spec).println(out);
        return 0;
    }

    /** "1.2 of 3.4 GB (35 %), 210 MB/s, 11 s left". */
    static String line(long written, long total, double seconds) {
        double rate = written / seconds;
        return String.format(
                Locale.ROOT,
                "%.1f of %.1f GB (%d %%), %.0f MB/s, %.0f s left",
                written / 1e9,
                total / 1e9,
                100 * written / Math.max(1, total),
                rate / 1e6,
                (total - written) / rate);
    }
}
