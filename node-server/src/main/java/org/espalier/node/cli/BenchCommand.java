package org.espalier.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Executor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.model.Model;
import org.espalier.node.bench.Bench;
import org.espalier.node.bench.BenchProgram;
import org.espalier.node.bench.OpTimes;
import org.espalier.node.bench.ProcessAge;
import org.espalier.node.bench.Rates;
import org.espalier.node.bench.ResidentMemory;
import org.espalier.node.shard.Engines;
import org.espalier.program.Program;
import org.espalier.program.StepShape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "bench",
        description =
                "Measures how fast an engine of this machine reads prompts and generates, by the conventions of llama-bench.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class BenchCommand implements Callable<Integer> {

    /** More than any cache holds. */
    private static final int MOST_LAYERS = 1024;

    private static final long READ_BYTES = 2L << 30;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "M", description = "Path or name of the model.")
    private String model;

    @Option(names = "-p", paramLabel = "N", defaultValue = "512", description = "Tokens of the prompt; 0: none.")
    private int prompt;

    @Option(names = "-n", paramLabel = "N", defaultValue = "128", description = "Tokens to generate; 0: none.")
    private int generate;

    @Option(names = "-r", paramLabel = "N", defaultValue = "5", description = "Repetitions.")
    private int repetitions;

    @Option(names = "--chunk", paramLabel = "N", defaultValue = "512", description = "Rows of a prompt's steps.")
    private int chunk;

    @Mixin
    private ProcessorChoice processor;

    @Option(names = "--engine", paramLabel = "E", defaultValue = "", description = "Empty: the best of this machine.")
    private String engine;

    @Option(
            names = "--precision",
            paramLabel = "float32|fast",
            defaultValue = "fast",
            description = "Arithmetic of the run.")
    private Precision precision;

    @Option(
            names = "--repeat-layers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Run as many layers by repeating the last one with the same weights; 0: the model's own.")
    private int layers;

    @Option(names = "--profile", description = "Show how long each kind of op takes, of a prompt and of generating.")
    private boolean profile;

    @Option(names = "--json", description = "Print one JSON object in place of the table.")
    private boolean json;

    @Override
    public Integer call() {
        if (prompt < 0 || generate < 0 || repetitions < 1 || chunk < 1 || layers < 0 || layers > MOST_LAYERS) {
            throw new ParameterException(
                    spec.commandLine(),
                    "-p and -n take 0 or more, --repeat-layers 0 to " + MOST_LAYERS + ", -r and --chunk 1 or more");
        }
        OpenedAhead ahead = OpenedAhead.take(model);
        try (Model opened = ahead.model();
                Engines engines = new Engines("")) {
            requireContext("-p", prompt, opened);
            requireContext("-n", generate, opened);
            Program program = layers == 0 ? ahead.program() : BenchProgram.of(opened, layers);
            PresentRanges.require(program.weights());
            EngineOptions asked = processor.loads().with(precision);
            Engine chosen = engines.choose(engine, program, asked);
            Precision runs = chosen.provider().precisions().contains(precision) ? precision : Precision.FLOAT32;
            EngineOptions options = profile ? asked.with(runs).with(Preparation.PROFILE) : asked.with(runs);
            try (LoadedProgram loaded = LoadedProgram.load(chosen, program, options, Loading.quietly())) {
                report(opened, chosen, loaded);
            }
        }
        return 0;
    }

    private static void requireContext(String option, int tokens, Model opened) {
        int context = opened.architecture().context();
        if (tokens > context) {
            throw new EspalierException(option + " is " + tokens + ", but " + opened.name() + " has a context of "
                    + context + " tokens: choose at most as many");
        }
    }

    private void report(Model opened, Engine chosen, LoadedProgram loaded) {
        double firstToken = firstTokenSeconds(loaded);
        Bench bench = new Bench(loaded, chunk);
        loaded.profile(); // forgets what the first token took
        Rates read = prompt == 0 ? null : bench.prompt(prompt, repetitions);
        Optional<long[]> ofPrompt = loaded.profile();
        Rates generated = generate == 0 ? null : bench.generate(generate, repetitions);
        Optional<long[]> ofTokens = loaded.profile();
        long bytes = bytesPerToken(loaded.program());
        long resident = ResidentMemory.peak().orElse(loaded.residentBytes()); // before more is taken to read it
        OptionalDouble mapped = loaded.readRate(Executor.ReadSource.WEIGHTS, READ_BYTES);
        OptionalDouble own = loaded.readRate(Executor.ReadSource.OWN, READ_BYTES);
        Output out = new Output(spec);
        if (json) {
            ObjectNode all = new ObjectMapper().createObjectNode();
            all.put("model", opened.name());
            all.put("engine", chosen.provider().name());
            all.put("device", device(chosen));
            all.put("precision", loaded.options().precision().title());
            all.put("bytesPerToken", bytes);
            all.put("residentBytes", resident);
            all.put("firstTokenSeconds", firstToken);
            mapped.ifPresent(rate -> all.put("mappedReadBandwidth", rate));
            own.ifPresent(rate -> all.put("readBandwidth", rate));
            rates(all, "prefill", prompt, read);
            rates(all, "decode", generate, generated);
            loaded.choices().forEach(all.putArray("choices")::add);
            out.println(all);
            return;
        }
        out.println(String.format(
                Locale.ROOT,
                "%s, engine %s (%s), %s: %,d bytes of weights a token, first token %.2f s after the start of the process, "
                        + "%.2f GB resident",
                opened.name(),
                chosen.provider().name(),
                device(chosen),
                loaded.options().precision().title(),
                bytes,
                firstToken,
                resident * 1e-9));
        if (read != null) {
            out.println(String.format(Locale.ROOT, "pp%-6d %s tokens/s", prompt, read));
        }
        if (generated != null) {
            out.println(String.format(
                    Locale.ROOT,
                    "tg%-6d %s tokens/s, %.1f GB/s of weights",
                    generate,
                    generated,
                    generated.median() * bytes * 1e-9));
        }
        if (own.isPresent()) { // the engine reads memory itself
            out.println("reading the weights where they lie: " + bandwidth(mapped) + "; memory in huge pages: "
                    + bandwidth(own));
        }
        loaded.choices().forEach(out::println);
        times(out, "a prompt", loaded.program(), ofPrompt, prompt * (repetitions + 1));
        times(out, "generating", loaded.program(), ofTokens, generate * (repetitions + 1));
    }

    private static String bandwidth(OptionalDouble rate) {
        return rate.isPresent()
                ? String.format(Locale.ROOT, "%.1f GB/s", rate.getAsDouble() * 1e-9)
                : "too little of them for a rate";
    }

    private static void times(Output out, String what, Program program, Optional<long[]> nanos, int tokens) {
        if (nanos.isPresent() && tokens > 0) {
            out.println("\n" + what + ":");
            out.print(OpTimes.table(OpTimes.of(program, nanos.get(), shape(program)), tokens));
        }
    }

    private static void rates(ObjectNode all, String what, int tokens, Rates rates) {
        if (rates != null) {
            all.put(what + "Tokens", tokens);
            all.put(what + "TokensPerSecond", rates.median());
            all.put(what + "TokensPerSecondLeast", rates.least());
            all.put(what + "TokensPerSecondGreatest", rates.greatest());
        }
    }

    /** From the start of this process to the logits of a prompt of one token. */
    private static double firstTokenSeconds(LoadedProgram loaded) {
        new Bench(loaded, 1).once();
        return ProcessAge.seconds();
    }

    private static String device(Engine chosen) {
        return chosen.provider().availability() instanceof Availability.Ready ready ? ready.device() : "";
    }

    /** Weights that one token reads, with an empty context. */
    private static long bytesPerToken(Program program) {
        return program.plan().cost(shape(program)).weightBytes();
    }

    /** One token with an empty context. */
    private static StepShape shape(Program program) {
        int experts = program.routes().stream()
                .mapToInt(route -> route.router().topK())
                .max()
                .orElse(0);
        return new StepShape(1, experts, 1);
    }
}
