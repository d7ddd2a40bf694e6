package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.engine.Compiling;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Libraries that cannot be used, each with a sentence that says why. */
final class LibraryFileTest {

    @TempDir
    Path directory;

    private static void refuses(Path file, String sentence) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> LibraryFile.open(CpuLibrary::new, () -> file))
                .withMessageContaining(sentence);
    }

    /** With the functions in {@code source}, by the machine's C compiler. */
    private Path compiled(String source) throws IOException, InterruptedException {
        Path file = directory.resolve("library.so");
        Path text = Files.writeString(directory.resolve("library.c"), source);
        Compiling.run("cc", "-shared", "-fPIC", "-o", file.toString(), text.toString());
        return file;
    }

    /** It has none of the functions that this version has. */
    @Test
    void oneOfAnotherVersion() throws IOException, InterruptedException {
        Path file = compiled("int es_version(void) { return 7; }");
        refuses(file, "its library has version 7 of the interface, expected 1: build the project again");
    }

    @Test
    void oneThatLacksFunctions() throws IOException, InterruptedException {
        Path empty = compiled("int es_version(void) { return 1; }");
        refuses(empty, "its library cannot be loaded: ");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> LibraryFile.open(EspalierLibrary::of, () -> empty))
                .withMessageStartingWith("its library cannot be loaded: Error looking up function 'es_");
        refuses(compiled("int something(void) { return 1; }"), "its library cannot be loaded: ");
    }

    @Test
    void whatIsNoLibrary() throws IOException {
        Path file = Files.writeString(directory.resolve("no.so"), "not a library");
        refuses(file, "its library cannot be loaded: ");
        refuses(directory.resolve("none.so"), "its library cannot be loaded: ");
    }

    /** Its signal handler may be in front of another library's, which goes on to it. */
    @Test
    void oneThatHasMappedAFileStaysInTheProcess() throws IOException {
        Path maps = Path.of("/proc/self/maps");
        assumeTrue(Files.exists(maps), "only Linux says what is mapped");
        assumeTrue(
                LibraryProvider.cpu().availability() instanceof EngineProvider.Availability.Ready,
                "the cpu engine was not built");
        String name = "/" + Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName("espalier-cpu");
        Path file = directory.toRealPath().resolve("copy.so");
        try (InputStream text = LibraryFile.class.getResourceAsStream(name)) {
            Files.copy(text, file);
        }
        assertThat(isMapped(maps, file)).isFalse();
        EspalierLibrary library =
                LibraryFile.open(EspalierLibrary::of, () -> file).library();
        assertThat(isMapped(maps, file)).isTrue();
        Engine engine = new LibraryEngine(LibraryProvider.cpu(), library);
        LoadedProgram.load(engine, new SelfTestPrograms(directory).product(), EngineOptions.FLOAT32, Loading.quietly())
                .close();
        engine.close();
        ((Library.Handler) Proxy.getInvocationHandler(library))
                .getNativeLibrary()
                .dispose();
        NativeLibrary.getInstance(file.toString()).dispose(); // which asked for the version
        assertThat(isMapped(maps, file)).isTrue();
    }

    private static boolean isMapped(Path maps, Path file) throws IOException {
        return Files.readAllLines(maps).stream().anyMatch(line -> line.endsWith(file.toString()));
    }

    /** As where the folder of extracted libraries is full or read-only. */
    @Test
    void oneThatCannotBeWritten() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> LibraryFile.open(CpuLibrary::new, () -> {
                    throw new IOException("No space left on device");
                }))
                .withMessage("its library cannot be loaded: No space left on device");
    }
}
