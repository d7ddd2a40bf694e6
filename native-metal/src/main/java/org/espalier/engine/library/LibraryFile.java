package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
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
        EspalierLibrary library = bound(name, bind);
        int version = library.es_version();
        if (version != EspalierLibrary.VERSION) {
            throw new EngineException("its library has version " + version + " of the interface, expected "
                    + EspalierLibrary.VERSION + ": build the project again");
        }
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

    private static EspalierLibrary bound(String name, Function<NativeLibrary, EspalierLibrary> bind) {
        ClassLoader loader = LibraryFile.class.getClassLoader();
        String resource = "/" + Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName(name);
        if (LibraryFile.class.getResource(resource) == null) {
            throw new EngineException("this build has no library for " + Platform.RESOURCE_PREFIX
                    + ": it is made where there are a C compiler and make");
        }
        try {
            String path = Native.extractFromResourcePath(resource, loader).getAbsolutePath();
            return bind.apply(NativeLibrary.getInstance(path));
        } catch (IOException | LinkageError e) {
            throw new EngineException("its library cannot be loaded: " + e.getMessage(), e);
        }
    }
}
