package org.espalier.engine.library;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.program.Cache;
import org.espalier.program.Program;
import org.espalier.weights.Weight;

/** A program and how it is loaded as words, PROGRAM in {@code espalier.h}. */
final class ProgramWords {

    static final int MAGIC = 0x4c505345;

    /** In the order of {@code enum es_cache_kind}. */
    enum CacheKind {
        ROWS,
        STATE
    }

    private final Program program;
    private final Map<Path, Integer> files = new HashMap<>();
    private final List<Path> paths = new ArrayList<>();

    private ProgramWords(Program program) {
        this.program = program;
    }

    static Words of(Program program, EngineOptions options) {
        return of(program, options, path -> path.toAbsolutePath().toString());
    }

    /** @param name what a file is called */
    static Words of(Program program, EngineOptions options, Function<Path, String> name) {
        return new ProgramWords(program).words(options, name);
    }

    private Words words(EngineOptions options, Function<Path, String> name) {
        Words weights = weights(); // which first say what files there are
        Words words = new Words().add(MAGIC).add(EspalierLibrary.VERSION);
        addOptions(words, options)
                .add(program.hidden())
                .addInts(program.slots())
                .addView(program.input())
                .addView(program.output())
                .addView(program.logits())
                .addList(program.caches(), ProgramWords::addCache)
                .addList(paths, (list, path) -> list.addString(name.apply(path)))
                .append(weights);
        OpWords ops = new OpWords(indices()::get);
        return words.addList(program.ops(), (list, op) -> list.append(op.accept(ops)));
    }

    private static Words addOptions(Words words, EngineOptions options) {
        int preparations = options.preparations().stream()
                .filter(preparation -> preparation != Preparation.PROFILE)
                .mapToInt(ProgramWords::bit)
                .sum();
        return words.add(options.precision().ordinal())
                .add(options.group().rank())
                .add(options.group().size())
                .add(options.kvType().ordinal())
                .add(options.threads())
                .add(preparations)
                .add(options.preparations().contains(Preparation.PROFILE) ? 1 : 0)
                .addLong(options.kvBytes());
    }

    static int bit(Preparation preparation) {
        return 1 << preparation.ordinal();
    }

    private static void addCache(Words words, Cache cache) {
        if (cache instanceof Cache.Rows rows) {
            words.addAll(CacheKind.ROWS.ordinal(), rows.width(), rows.window());
        } else {
            words.addAll(CacheKind.STATE.ordinal(), ((Cache.State) cache).width(), 0);
        }
    }

    private Words weights() {
        WeightWords one = new WeightWords(this::file);
        Words words = new Words().add(program.weights().size());
        for (Map.Entry<String, Weight> entry : program.weights().entrySet()) {
            words.append(one.of(entry.getKey(), entry.getValue()));
        }
        return words;
    }

    private int file(Path path) {
        return files.computeIfAbsent(path, added -> {
            paths.add(added);
            return paths.size() - 1;
        });
    }

    /** Of the weights by name, in the order in which they are written. */
    private Map<String, Integer> indices() {
        Map<String, Integer> indices = new HashMap<>();
        for (String weight : program.weights().keySet()) {
            indices.put(weight, indices.size());
        }
        return indices;
    }
}
