package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.espalier.EspalierException;
import org.espalier.engine.LoadedProgram;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.model.ModelNotFoundException;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.TokenText;
import org.espalier.node.shard.Engines;
import org.espalier.node.shard.Shard;
import org.espalier.tokenizer.SpecialTokens;
import org.espalier.tokenizer.StreamingDetokenizer;
import org.espalier.tokenizer.Tokenizer;

/** Loads shards of real models from files of this machine, within the node's model roots. */
final class ModelShards implements ShardLoader {

    private final List<Path> roots;
    private final Engines engines = new Engines();

    /** @param roots folders that models may lie in; empty: anywhere */
    ModelShards(List<Path> roots) {
        this.roots = roots;
    }

    @Override
    public List<String> engines() {
        return Engines.names();
    }

    @Override
    public StageShard load(Order order, Progress progress) {
        Model model = Model.open(allowed(order));
        if (model.config().layers() != order.layers()) {
            int layers = model.config().layers();
            model.close();
            throw new EspalierException("node " + order.node() + " finds " + layers + " layers in " + order.model()
                    + ", the placement is for " + order.layers() + ": the nodes have different files of that name");
        }
        Shard shard = Shard.load(
                model,
                order.firstLayer(),
                order.endLayer(),
                engines.named(order.engine()),
                Shard.precision(order.precision()));
        progress.report(shard.program().residentBytes(), shard.program().residentBytes());
        return new Loaded(shard);
    }

    private Path allowed(Order order) {
        if (roots.isEmpty()) {
            return Path.of(order.model());
        }
        try {
            return ModelCatalogue.restrictedTo(roots).resolve(order.model());
        } catch (ModelNotFoundException e) {
            throw new EspalierException("node " + order.node() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        engines.close();
    }

    private record Loaded(Shard shard) implements StageShard {

        @Override
        public LoadedProgram program() {
            return shard.program();
        }

        @Override
        public String engine() {
            return shard.engine();
        }

        @Override
        public String precision() {
            return shard.precision().name().toLowerCase(Locale.ROOT);
        }

        @Override
        public int context() {
            return shard.model().config().context();
        }

        @Override
        public int vocabulary() {
            return shard.model().config().vocabulary();
        }

        @Override
        public TokenText text() {
            Tokenizer tokenizer = shard.model()
                    .tokenizer()
                    .orElseThrow(
                            () -> new EspalierException("model " + shard.model().name()
                                    + " has no tokenizer, so stop texts cannot be looked for: leave them out"));
            StreamingDetokenizer detokenizer = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            return detokenizer::push;
        }

        @Override
        public void close() {
            shard.close();
        }
    }
}
