package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.GenerationCancelledException;
import org.espalier.cluster.Prompt;
import org.espalier.kernel.display.Bundles;
import org.espalier.kernel.display.PromptProgress;
import org.espalier.model.Model;
import org.espalier.node.options.SamplingChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code %generate} and {@code %%generate}: an answer, token by token. */
final class GenerateMagic implements Magic {

    private final NotebookCluster notebook;

    GenerateMagic(NotebookCluster notebook) {
        this.notebook = notebook;
    }

    @Override
    public String name() {
        return "generate";
    }

    @Override
    public String summary() {
        return "answers a prompt: %generate PROMPT, or %%generate with the prompt below";
    }

    @Override
    public String usage() {
        return Options.usage(new Generate())
                + "\nThe prompt is the rest of the line, as it is, or with %%generate the lines below.";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Generate());
    }

    @Override
    public Rest rest() {
        return Rest.TEXT;
    }

    @Command(
            name = "%generate",
            description = "Generates with the loaded model and shows the text as it comes.",
            sortOptions = false)
    private static final class Generate {
        @Option(
                names = {"-n", "--max-tokens"},
                paramLabel = "N",
                description = "The most new tokens; 256 by default.")
        private int maxTokens = 256;

        @Mixin
        private SamplingChoice sampling;

        @Option(
                names = "--stop",
                paramLabel = "TEXT",
                description = "A text that ends the answer; may be given more than once.")
        private List<String> stop = List.of();

        @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before the question.")
        private String system;

        @Option(names = "--raw", description = "Continue the prompt as it is, without the model's chat template.")
        private boolean raw;

        @Option(names = "--ignore-eos", description = "Continue past the end of the answer.")
        private boolean ignoreEos;

        @Option(
                names = "--fill",
                description = "Put the values of variables in the place of {name} in the prompt, too.")
        private boolean fill;

        @Parameters(
                arity = "0..1",
                paramLabel = "PROMPT",
                description = "What to answer; after -- it may begin with a dash.")
        private String prompt = "";

        Prompt conversation(String question) {
            List<Prompt.Message> messages = new ArrayList<>();
            if (system != null) {
                messages.add(new Prompt.Message("system", system));
            }
            messages.add(new Prompt.Message("user", question));
            return new Prompt.Chat(messages);
        }

        GenerateOptions options() {
            GenerateOptions options = GenerateOptions.defaults()
                    .withMaxTokens(maxTokens)
                    .withSampling(sampling.sampling())
                    .withStop(stop)
                    .withRouting(); // costs little, and %experts then shows what just ran
            return ignoreEos ? options.ignoringEos() : options;
        }
    }

    @Override
    public void run(MagicCall call) throws InterruptedException {
        Generate command = call.withText(new Generate());
        String text = prompt(command, call);
        Cluster cluster = notebook.withModel();
        Prompt prompt = command.raw || !hasTemplate(cluster) ? Prompt.text(text) : command.conversation(text);
        try (PromptProgress printing = new PromptProgress(call.output())) {
            Generation generation = cluster.generate(prompt, command.options(), printing);
            call.output().print("\n");
            call.output().display(Bundles.note(line(generation, cluster)));
        } catch (GenerationCancelledException e) {
            throw new InterruptedException();
        }
    }

    private static String prompt(Generate command, MagicCall call) {
        Optional<String> below = call.body().filter(body -> !body.isBlank());
        if (command.prompt.isBlank() && below.isEmpty()) {
            throw new EspalierException("there is no prompt: write it on the line of %generate, or below %%generate");
        }
        if (!command.prompt.isBlank() && below.isPresent()) {
            throw new EspalierException("there is a prompt on the line of %%generate, '" + command.prompt
                    + "', and another below it: write it in one of the two places");
        }
        // Raw text goes in as it is: templates end in line breaks that belong to them.
        return below.map(body -> command.fill ? call.filled(body) : body)
                .map(body -> command.raw ? body : body.strip())
                .orElse(command.prompt);
    }

    private static boolean hasTemplate(Cluster cluster) {
        return cluster.model().flatMap(Model::chatTemplate).isPresent();
    }

    private static String line(Generation generation, Cluster cluster) {
        if (generation.tokens().isEmpty()) {
            return generation.promptTokens().size() + " prompt tokens read, no new one asked for";
        }
        int nodes = cluster.deployment()
                .map(deployment -> deployment.placement().shards().size())
                .orElse(0);
        Optional<String> ended = switch (generation.finish()) {
            case EOS -> Optional.empty();
            case LENGTH -> Optional.of("ended by the token limit");
            case CONTEXT -> Optional.of("ended by the model's context");
            case STOP -> Optional.of("ended by a stop text");
        };
        return String.format(
                Locale.ROOT,
                "%d tokens, %.1f tokens/s, first after %.2f s, %d node%s%s",
                generation.tokens().size(),
                generation.timing().decodeTokensPerSecond(),
                generation.timing().firstTokenSeconds(),
                nodes,
                nodes == 1 ? "" : "s",
                ended.map(why -> ", " + why).orElse(""));
    }
}
