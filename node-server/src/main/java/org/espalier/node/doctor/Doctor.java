package org.espalier.node.doctor;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.node.delivery.BufferLimits;
import org.espalier.node.delivery.MeasuredCrossing;
import org.espalier.node.delivery.MlxDelivery;
import org.espalier.node.delivery.Passed;

/**
 * Says what the machine is, brings MLX here, tries it, and measures what decides about speed. Each line is printed as soon as it is known; what was not run says
 * why.
 */
public final class Doctor {

    private static final Duration DEADLINE = Duration.ofMinutes(3);

    /** Begins what the mlx engine says of its limits. */
    private static final String MEMORY = "memory: ";

    private final Optional<MlxDelivery> delivery;
    private final String engine;
    private final int layers;
    private final BiConsumer<String, String> line;

    /**
     * @param engine that is measured; empty: mlx on a GPU, and nothing where it has none
     * @param layers of what is measured; of a mixture each has 226 MB
     * @param line told the name of each thing, and what is known of it
     */
    public Doctor(Optional<MlxDelivery> delivery, String engine, int layers, BiConsumer<String, String> line) {
        this.delivery = delivery;
        this.engine = engine;
        this.layers = layers;
        this.line = line;
    }

    /** @param version of this program */
    public void report(String version) throws InterruptedException {
        line.accept("espalier", version);
        line.accept(
                "hardware",
                "written without a Mac and without a GPU: on Metal nothing of it had run when it was released;"
                        + " the cpu engine and MLX on the processor run in every build on Linux");
        line.accept("system", MachineFacts.system());
        line.accept("chip", MachineFacts.chip());
        line.accept("memory", MachineFacts.memory());
        line.accept("wired limit", MachineFacts.wiredLimit());
        Optional<Passed> passed = mlx();
        Optional<String> reason = reasonAgainstMeasuring(passed);
        if (reason.isPresent()) {
            for (String what : new String[] {
                "read bandwidth",
                "crossing",
                "memory limits",
                "buffer limits",
                "expert kernels",
                "1 to 64 rows",
                "mixture"
            }) {
                line.accept(what, "not run: " + reason.get());
            }
            return;
        }
        Path home = passed.isPresent() ? delivery.orElseThrow().home().folder() : null;
        measure(new ProbeProcess(engine.isEmpty() ? "mlx" : engine, home, DEADLINE), passed);
    }

    private Optional<Passed> mlx() throws InterruptedException {
        if (delivery.isEmpty()) {
            line.accept(
                    "MLX",
                    "there is no build of it for " + System.getProperty("os.name") + " on "
                            + System.getProperty("os.arch"));
            line.accept("self-test", "not run: there is no MLX");
            return Optional.empty();
        }
        try {
            Passed passed = delivery.get().deliver(progress -> {});
            line.accept(
                    "MLX",
                    delivery.get().what() + " in " + delivery.get().home().folder());
            line.accept(
                    "self-test",
                    "passed by " + passed.what() + ", on " + passed.device()
                            + (passed.experts().isEmpty() ? "" : "; " + passed.experts()));
            return Optional.of(passed);
        } catch (EspalierException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            line.accept("MLX", delivery.get().what() + ", not used");
            line.accept("self-test", "FAILED: " + e.getMessage());
            return Optional.empty();
        }
    }

    private Optional<String> reasonAgainstMeasuring(Optional<Passed> passed) {
        if (!engine.isEmpty() && !engine.equals("mlx")) {
            return Optional.empty();
        }
        if (passed.isEmpty()) {
            return Optional.of("MLX does not run here");
        }
        return engine.isEmpty() && passed.get().device().endsWith("on the processor")
                ? Optional.of("MLX has no GPU here (" + System.getProperty("os.name")
                        + "); --engine mlx measures it on the" + " processor, --engine cpu the cpu engine")
                : Optional.empty();
    }

    private void measure(ProbeProcess probe, Optional<Passed> passed) throws InterruptedException {
        measured(
                "read bandwidth",
                () -> String.format(
                        Locale.ROOT,
                        "%.1f GB/s",
                        probe.measure(Probe.Kind.READ, 1, Map.of()).number("rate") * 1e-9));
        measured("crossing", () -> crossing(probe, passed));
        if (probe.engine().equals("mlx")) {
            measured("memory limits", () -> chosen(probe, true));
            measured("buffer limits", () -> sweep(probe, passed.orElseThrow()));
            measured("expert kernels", () -> chosen(probe, false));
        } else {
            line.accept("memory limits", "not run: they are the mlx engine's");
            line.accept("buffer limits", "not run: they are Metal's, and this is the engine " + probe.engine());
            line.accept("expert kernels", "not run: they are the mlx engine's");
        }
        measured(
                "1 to 64 rows",
                () -> rows(probe.measure(Probe.Kind.ROWS, 8 * layers, Map.of()).numbers()));
        measured("mixture", () -> {
            ProbeProcess.Measured decode = probe.measure(Probe.Kind.DECODE, layers, Map.of());
            double prefill = probe.measure(Probe.Kind.PREFILL, layers, Map.of()).number("seconds");
            return String.format(
                    Locale.ROOT,
                    "%d layers of 64 experts, 4 bit: one row %.3f ms (%.1f GB/s of weights), 256 rows %.1f ms",
                    layers,
                    decode.number("seconds") * 1e3,
                    decode.number("bytes") / decode.number("seconds") * 1e-9,
                    prefill * 1e3);
        });
    }

    private interface Measurement {
        String text() throws InterruptedException, IOException;
    }

    private void measured(String what, Measurement measurement) throws InterruptedException {
        String text;
        try {
            text = measurement.text();
        } catch (EspalierException e) {
            text = "FAILED: " + e.getMessage();
        } catch (IOException e) {
            text = "FAILED: " + e;
        }
        line.accept(what, text);
    }

    /** What the mlx engine chose: of memory, or else of experts. */
    private static String chosen(ProbeProcess probe, boolean memory) throws InterruptedException {
        return probe.measure(Probe.Kind.EXPERTS, 1, Map.of()).choices().stream()
                .filter(choice -> choice.startsWith(MEMORY) == memory)
                .map(choice -> memory ? choice.substring(MEMORY.length()) : choice)
                .collect(Collectors.joining(" | "));
    }

    /** Of mlx it is kept, for whoever plans where exchanges pay. */
    private String crossing(ProbeProcess probe, Optional<Passed> passed) throws InterruptedException, IOException {
        double seconds =
                probe.measure(Probe.Kind.CROSSING, 8 * layers, Map.of()).number("seconds");
        String measured = seconds > 0
                ? String.format(Locale.ROOT, "%.1f us an exchange with the processor", seconds * 1e6)
                : "too little to be told from the products beside it";
        if (!probe.engine().equals("mlx")) {
            return measured;
        }
        try {
            new MeasuredCrossing(Math.round(seconds * 1e9), passed.orElseThrow().device())
                    .write(delivery.orElseThrow().home());
            return measured + ", kept for placements";
        } catch (IOException e) {
            return measured + ", NOT kept for placements: " + e;
        }
    }

    private static String rows(Map<String, Double> measured) {
        double bytes = measured.remove("bytes");
        StringBuilder text = new StringBuilder("GB/s of weights:");
        measured.forEach((rows, seconds) -> text.append(
                String.format(Locale.ROOT, " %s %.1f", rows.substring("rows".length()), bytes / seconds * 1e-9)));
        return text.toString();
    }

    /** One process a setting, since MLX reads it once. What is kept is set wherever MLX is loaded on this device. */
    private String sweep(ProbeProcess probe, Passed passed) throws InterruptedException, IOException {
        Optional<String> inherited = BufferLimits.inherited(System.getenv());
        if (inherited.isPresent()) {
            return "not run: " + inherited.get() + " is set, so that MLX's own cannot be measured: unset it";
        }
        BufferSweep sweep = new BufferSweep(limits ->
                probe.measure(Probe.Kind.DECODE, layers, limits.variables()).number("seconds"));
        BufferLimits kept = sweep.kept(passed.device());
        kept.write(delivery.orElseThrow().home());
        return sweep.text() + "kept " + kept.title() + " for " + passed.device();
    }
}
