package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.espalier.engine.EngineException;

/**
 * A library of this build, as it lies in the class path under JNA's name for the machine ({@code linux-x86-64/libespalier-cpu.so}), and what it
 * says of itself. Of whatever the machine has installed under this name nothing is looked at.
 */
record LibraryFile(EspalierLibrary library, String device) {

    private static final int DEVICE_BYTES = 256;

    /**
     * @param bind makes the library's functions callable
     * @throws EngineException saying why it cannot be used here
     */
    static LibraryFile open(String name, Function<NativeLibrary, EspalierLibrary> bind) {
        return open(bind, () -> extracted(name));
    }

    /** The same of a library's file. */
    static LibraryFile open(Function<NativeLibrary, EspalierLibrary> bind, Callable<Path> file) {
        EspalierLibrary library = bound(bind, file);
        try (Memory text = new Memory(DEVICE_BYTES)) {
            text.clear();
            Status status = Status.of(library.es_describe(text, DEVICE_BYTES));
            String device = text.getString(0, "UTF-8");
            if (status != Status.OK) {
                throw new EngineException(device);
            }
            return new LibraryFile(library, device);
        }
    }

    /** The version is asked for first: another one need not have the functions that are bound. */
    private static EspalierLibrary bound(Function<NativeLibrary, EspalierLibrary> bind, Callable<Path> file) {
        try {
            NativeLibrary library = NativeLibrary.getInstance(file.call().toString());
            int version = library.getFunction("es_version").invokeInt(new Object[0]);
            if (version != EspalierLibrary.VERSION) {
                throw new EngineException("its library has version " + version + " of the interface, expected "
                        + EspalierLibrary.VERSION + ": build the project again");
            }
            return bind.apply(library);
        } catch (EngineException e) {
            throw e;
        } catch (Exception | LinkageError e) {
            throw new EngineException(
                    "its library cannot be loaded: " + (e.getMessage() == null ? e : e.getMessage()), e);
        }
    }

    private static Path extracted(String name) throws IOException {
        String resource = "/" + Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName(name);
        if (LibraryFile.class.getResource(resource) == null) {
            throw new EngineException("this build has no library for " + Platform.RESOURCE_PREFIX
                    + ": it is made where there are a C compiler and make");
        }
        return Native.extractFromResourcePath(resource, LibraryFile.class.getClassLoader())
                .toPath();
    }
}
