package org.espalier.node.shard;

import java.util.Locale;
import org.espalier.EspalierException;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.engine.CancelledException;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.model.Model;
import org.espalier.program.Program;
import org.espalier.program.ProgramException;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.weights.WeightException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loaded layers of a model.
 *
 * @param model owned, and closed, by the shard
 * @param precision the one that runs: {@code float32} if the engine has no {@code fast}
 */
public record Shard(Model model, LoadedProgram program, String engine, Precision precision) implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Shard.class);

    /**
     * How to load a shard.
     *
     * @param engine its name; empty for the best that can run the model
     * @param options with the requested precision
     */
    public record Request(String engine, EngineOptions options, Loading loading) {

        public static Request of(String engine, Precision precision) {
            return new Request(engine, EngineOptions.FLOAT32.with(precision), Loading.quietly());
        }
    }

    /** As {@link #load(Model, Member, Engines, Request)}, layers that this node has for itself. */
    public static Shard load(Model model, LayerRange layers, Engines engines, Request request) {
        return load(model, Member.alone(layers), engines, request);
    }

    /**
     * Loads a slice of a model.
     *
     * @param model closed with the shard, also when loading fails
     * @throws EspalierException if the checkpoint does not fit its config, these layers were not fetched, or the engine cannot load it
     */
    public static Shard load(Model model, Member member, Engines engines, Request request) {
        try {
            model.architecture()
                    .joinedLayers()
                    .refusal(member.slice().layers().first())
                    .ifPresent(reason -> {
                        throw new EspalierException("these layers of " + model.name() + " cannot be loaded: " + reason);
                    });
            Program program = model.architecture().program(model.checkpoint(), member);
            PresentRanges.require(program.weights());
            Engine engine = engines.choose(request.engine(), program, request.options());
            String name = engine.provider().name();
            EngineOptions runs = request.options().with(precision(engine, request.options()));
            return new Shard(model, load(model, program, engine, runs, request.loading()), name, runs.precision());
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    private static LoadedProgram load(
            Model model, Program program, Engine engine, EngineOptions options, Loading loading) {
        try {
            return LoadedProgram.load(engine, program, options, loading);
        } catch (CancelledException e) {
            throw e;
        } catch (EngineException | WeightException | ProgramException e) {
            throw new EspalierException(
                    "the engine " + engine.provider().name() + " cannot load " + model.path() + ": " + e.getMessage(),
                    e);
        }
    }

    /** The requested precision, or float32, which every engine has. */
    private static Precision precision(Engine engine, EngineOptions options) {
        Precision runs = Engines.precision(engine.provider(), options.precision());
        if (runs != options.precision()) {
            LOG.info(
                    "the engine {} has no precision {}: {} runs",
                    engine.provider().name(),
                    options.precision().title(),
                    runs.title());
        }
        return runs;
    }

    /** Memory that the weights occupy, in bytes. */
    public long residentBytes() {
        return program.residentBytes();
    }

    /** {@code float32} or {@code fast} as the command line and the wire name it. */
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
