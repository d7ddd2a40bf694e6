package org.espalier.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.options.LayerEditConverter;
import org.espalier.node.score.Score;
import org.espalier.node.score.Scorer;
import org.espalier.node.shard.Engines;
import org.espalier.node.shard.Shard;
import org.espalier.routing.LayerEdit;
import org.espalier.slice.LayerRange;
import org.espalier.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "score",
        description = "Measures how well a model predicts texts, in bits per byte.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class ScoreCommand implements Callable<Integer> {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "M", description = "Path or name of the model.")
    private String model;

    @Parameters(
            paramLabel = "FILE",
            arity = "1..*",
            description = "Texts in UTF-8; or FILE.jsonl with rows of token ids, one JSON array a line.")
    private List<Path> files;

    @Option(
            names = "--window",
            paramLabel = "N",
            defaultValue = "512",
            description =
                    "Tokens that a text is cut into; each window starts afresh, after the begin-of-sequence token.")
    private int window;

    @Option(
            names = "--edit",
            paramLabel = LayerEditConverter.LABEL,
            converter = LayerEditConverter.class,
            description = {
                "Intervene in a layer's choice of experts, for instance 5:ban=19,36. May be given for several layers.",
                LayerEditConverter.SYNTAX + "."
            })
    private List<LayerEdit> edits = List.of();

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Empty: the best of this machine.")
    private String engine;

    @Option(names = "--precision", paramLabel = "P", defaultValue = "float32", description = "float32 or fast.")
    private String precision;

    @Option(names = "--json", description = "One JSON object a file, with each row.")
    private boolean json;

    @Option(names = "--routing", description = "With --json: how often each expert was chosen, by row and MoE layer.")
    private boolean routing;

    @Override
    public Integer call() {
        if (window < 2) {
            throw new EspalierException("--window is " + window + ": choose 2 or more");
        }
        Precision runs = Shard.precision(precision);
        RouterEdits routerEdits = routerEdits();
        Output out = new Output(spec);
        try (Engines engines = new Engines("");
                Shard shard = load(engines, runs)) {
            Scorer scorer = new Scorer(shard, routerEdits);
            for (Path file : files) {
                boolean tokens = file.toString().endsWith(TokenRows.ENDING);
                String text = read(file);
                List<int[]> rows = tokens ? TokenRows.of(file, text) : windows(text, shard.model());
                if (rows.isEmpty()) {
                    throw new EspalierException(file + " is empty: there is nothing to predict");
                }
                List<Score> scores = rows.stream().map(scorer::score).toList();
                long bytes = tokens ? 0 : text.getBytes(StandardCharsets.UTF_8).length;
                out.println(json ? report(file, bytes, scores) : line(file, bytes, scores));
            }
        }
        return 0;
    }

    private RouterEdits routerEdits() {
        Map<Integer, RouterEdits.LayerEdit> layers = new TreeMap<>();
        for (LayerEdit edit : edits) {
            RouterEdits.LayerEdit former = layers.put(
                    edit.layer(),
                    new RouterEdits.LayerEdit(
                            edit.ban(),
                            edit.force().stream().sorted().toList(),
                            edit.topK() == 0 ? OptionalInt.empty() : OptionalInt.of(edit.topK()),
                            edit.scale()));
            if (former != null) {
                throw new EspalierException(
                        "--edit names layer " + edit.layer() + " twice: write both in one, joined by ':'");
            }
        }
        return layers.isEmpty() ? RouterEdits.NONE : new RouterEdits(layers);
    }

    private Shard load(Engines engines, Precision runs) {
        Model opened = ModelCatalogue.ofThisMachine().open(model);
        return Shard.load(
                opened, LayerRange.whole(opened.architecture().layers()), engines, Shard.Request.of(engine, runs));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new EspalierException("there is no file " + file + ": check the path", e);
        } catch (CharacterCodingException e) {
            throw new EspalierException(file + " is not valid UTF-8: convert it first, for instance with iconv", e);
        } catch (IOException e) {
            throw new EspalierException("cannot read " + file + ": " + EspalierException.reason(e, file), e);
        }
    }

    private List<int[]> windows(String text, Model opened) {
        Tokenizer tokenizer = opened.tokenizer()
                .orElseThrow(() -> new EspalierException(
                        opened.path() + " has no tokenizer: give rows of token ids in a file " + TokenRows.ENDING));
        int first = tokenizer
                .bosId()
                .orElseThrow(() -> new EspalierException("the tokenizer of " + opened.path()
                        + " has no begin-of-sequence token: give rows of token ids in a file " + TokenRows.ENDING));
        int[] ids = tokenizer.encode(text);
        List<int[]> windows = new ArrayList<>();
        for (int start = 0; start < ids.length; start += window - 1) {
            int[] row = new int[1 + Math.min(window - 1, ids.length - start)];
            row[0] = first;
            System.arraycopy(ids, start, row, 1, row.length - 1);
            windows.add(row);
        }
        return windows;
    }

    private static String line(Path file, long bytes, List<Score> scores) {
        double nats = scores.stream().mapToDouble(Score::nats).sum();
        int tokens = scores.stream().mapToInt(Score::tokens).sum();
        String perByte = bytes == 0 ? "" : String.format(Locale.ROOT, ", %.4f bits per byte", bits(nats) / bytes);
        return String.format(Locale.ROOT, "%s: %d tokens, %.4f nats a token%s", file, tokens, nats / tokens, perByte);
    }

    private static double bits(double nats) {
        return nats / Math.log(2);
    }

    private String report(Path file, long bytes, List<Score> scores) {
        double nats = scores.stream().mapToDouble(Score::nats).sum();
        ObjectNode report = JSON.createObjectNode();
        report.put("file", file.toString());
        report.put("tokens", scores.stream().mapToInt(Score::tokens).sum());
        report.put("nats", nats);
        if (bytes > 0) {
            report.put("bytes", bytes);
            report.put("bitsPerByte", bits(nats) / bytes);
        }
        if (routing && !scores.isEmpty()) {
            Arrays.stream(scores.get(0).layers()).forEach(report.putArray("layers")::add);
        }
        ArrayNode rows = report.putArray("rows");
        for (Score score : scores) {
            ObjectNode row = rows.addObject().put("tokens", score.tokens()).put("nats", score.nats());
            if (routing) {
                ArrayNode layers = row.putArray("load");
                for (long[] load : score.load()) {
                    Arrays.stream(load).forEach(layers.addArray()::add);
                }
            }
        }
        return report.toString();
    }
}
