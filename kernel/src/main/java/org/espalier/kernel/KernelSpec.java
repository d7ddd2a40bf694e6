package org.espalier.kernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder by which Jupyter finds this kernel: {@code kernel.json} with this JVM and this jar, the icons, and the
 * {@link ClassArchive}.
 *
 * @param folder its name is the kernel's
 */
record KernelSpec(Path folder) {

    private static final Logger LOG = LoggerFactory.getLogger(KernelSpec.class);

    private static final List<String> ICONS = List.of("logo-32x32.png", "logo-64x64.png", "logo-svg.svg");

    /** @param kernels the folder that holds a folder for each kernel */
    static KernelSpec below(Path kernels) {
        return new KernelSpec(kernels.resolve("espalier"));
    }

    /** Writes all but the archive. */
    void write() {
        try {
            Files.createDirectories(folder);
            for (String icon : ICONS) {
                try (InputStream picture = KernelSpec.class.getResourceAsStream(icon)) {
                    Files.copy(picture, folder.resolve(icon), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            Path file = folder.resolve("kernel.json");
            String content = new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(content()) + "\n";
            if (!Files.exists(file) || !Files.readString(file).equals(content)) { // Jupyter may be reading it
                Files.writeString(file, content);
            }
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot write the kernel to " + folder + ": " + EspalierException.reason(e, folder), e);
        }
    }

    /** Makes the archive, unless it is there and from this jar. */
    void archive() throws InterruptedException {
        try {
            if (!archiveFile().isMadeFrom(jar())) {
                archiveFile().make(java(), jar());
            }
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot write " + archiveFile().file() + ": " + EspalierException.reason(e, folder), e);
        }
    }

    /** Says in the log why this kernel, which runs, started without its archive; nothing where it did not. */
    static void logUnusedArchive() {
        List<String> arguments =
                ProcessHandle.current().info().arguments().map(List::of).orElse(List.of());
        try {
            ClassArchive.unused(arguments, Path.of(System.getProperty("java.class.path")))
                    .ifPresent(LOG::info);
        } catch (IOException e) {
            LOG.info("cannot tell whether the class archive is of this jar: {}", e.toString());
        }
    }

    private ClassArchive archiveFile() {
        return ClassArchive.in(folder);
    }

    private ObjectNode content() {
        ObjectNode spec = new ObjectMapper().createObjectNode();
        ArrayNode command = spec.putArray("argv");
        java().forEach(command::add);
        archiveFile().options().forEach(command::add);
        command.add("-jar").add(jar().toString()).add("{connection_file}");
        spec.put("display_name", "Java (Espalier)");
        spec.put("language", "java");
        spec.put("interrupt_mode", "message");
        return spec;
    }

    private static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // A small heap beside mapped weights needs no collector threads of its own.
        command.add("-XX:+UseSerialGC");
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED"); // earlier ones neither need nor know it
        }
        return command;
    }

    private static Path jar() {
        Path jar =
                Path.of(System.getProperty("java.class.path")).toAbsolutePath().normalize();
        if (!Files.isRegularFile(jar)) {
            throw new EspalierException("run --install from the jar: java -jar espalier-kernel.jar --install");
        }
        return jar;
    }
}
