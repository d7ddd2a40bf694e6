package org.espalier.engine.library;

import com.sun.jna.NativeLibrary;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** An engine whose library lies in the class path; it is loaded when it is first asked for, once a process. */
public final class LibraryProvider implements EngineProvider {

    private static final LibraryProvider CPU = new LibraryProvider("cpu", CpuLibrary::new);

    private final String name;
    private final Function<NativeLibrary, EspalierLibrary> bind;
    /** One of the two is set once it was tried. */
    private LibraryFile file;

    private String missing;

    LibraryProvider(String name, Function<NativeLibrary, EspalierLibrary> bind) {
        this.name = name;
        this.bind = bind;
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
                file = LibraryFile.open("espalier-" + name, bind);
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
    public synchronized Engine start() {
        if (availability() instanceof Availability.Missing gone) {
            throw new EngineException("the engine " + name + " is missing here: " + gone.why());
        }
        return new LibraryEngine(this, file.library());
    }
}
