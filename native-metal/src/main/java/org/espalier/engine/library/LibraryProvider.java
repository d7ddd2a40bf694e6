package org.espalier.engine.library;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** An engine in a library of this build; it is loaded when it is first asked for, once a process. */
public final class LibraryProvider implements EngineProvider {

    private static final LibraryProvider CPU =
            new LibraryProvider("cpu", () -> LibraryFile.open("espalier-cpu", CpuLibrary::new));

    private final String name;
    private final Supplier<LibraryFile> open;
    /** One of the two is set once it was tried. */
    private LibraryFile file;

    private String missing;

    /** @param open throws an {@link EngineException} saying why the library cannot be used here */
    LibraryProvider(String name, Supplier<LibraryFile> open) {
        this.name = name;
        this.open = open;
    }

    /** The processor, with the best instructions that it has. */
    public static LibraryProvider cpu() {
        return CPU;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public synchronized Availability availability() {
        if (file == null && missing == null) {
            try {
                file = open.get();
            } catch (EngineException e) {
                missing = e.getMessage();
            }
        }
        return file == null ? new Availability.Missing(missing) : new Availability.Ready(file.device());
    }

    @Override
    public boolean mayAbort() {
        return true;
    }

    @Override
    public Set<Precision> precisions() {
        return EnumSet.allOf(Precision.class);
    }

    @Override
    public Optional<String> refusal(Program program, EngineOptions options) {
        return options.kvType() == KvType.Q8
                ? Optional.of("it keeps KV caches as f32 or f16, not as q8")
                : Optional.empty();
    }

    @Override
    public Engine start() {
        return start(this);
    }

    /** @param provider what the engine says that it is of */
    synchronized Engine start(EngineProvider provider) {
        if (availability() instanceof Availability.Missing gone) {
            throw new EngineException("the engine " + name + " is missing here: " + gone.why());
        }
        return new LibraryEngine(provider, file.library());
    }
}
