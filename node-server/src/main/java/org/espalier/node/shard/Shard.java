package org.espalier.node.shard;

import java.util.Locale;
import org.espalier.EspalierException;
import org.espalier.architecture.Architectures;
import org.espalier.architecture.LayerRange;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Precision;
import org.espalier.model.Model;
import org.espalier.program.Program;
import org.espalier.weights.WeightException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers of a model, loaded.
 *
 * @param model belongs to the shard
 * @param precision that runs: an engine that has only {@code float32} runs that when {@code fast} is asked for
 */
public record Shard(Model model, LoadedProgram program, String engine, Precision precision) implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Shard.class);

    /**
     * Loads layers {@code first} to {@code end} exclusive.
     *
     * @param model closed with the shard, also when loading fails
     * @throws EspalierException if the checkpoint does not fit its config, or the engine cannot load it
     */
    public static Shard load(Model model, int first, int end, Engine engine, Precision precision) {
        try {
            LayerRange layers = new LayerRange(first, end, model.config().layers());
            Program program = Architectures.of(model.config()).program(model.checkpoint(), layers);
            Precision runs = runs(engine, precision);
            return new Shard(model, engine.load(program, runs), engine.name(), runs);
        } catch (EngineException | WeightException e) {
            model.close();
            throw new EspalierException(
                    "the engine " + engine.name() + " cannot load " + model.path() + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static Precision runs(Engine engine, Precision asked) {
        if (engine.precisions().contains(asked)) {
            return asked;
        }
        LOG.info(
                "the engine {} has no precision {}: float32 runs",
                engine.name(),
                asked.name().toLowerCase(Locale.ROOT));
        return Precision.FLOAT32; // every engine has it
    }

    /** Memory that the weights occupy, in bytes. */
    public long residentBytes() {
        return program.residentBytes();
    }

    /** {@code float32} or {@code fast} as a command line or the wire names it. */
    public static Precision precision(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "float32" -> Precision.FLOAT32;
            case "fast", "" -> Precision.FAST;
            default -> throw new EspalierException("there is no precision '" + name + "': choose float32 or fast");
        };
    }

    @Override
    public void close() {
        program.close();
        model.close();
    }
}
