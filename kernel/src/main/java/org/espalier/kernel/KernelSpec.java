package org.espalier.kernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.EspalierException;

/** The file by which Jupyter finds this kernel. */
final class KernelSpec {

    private KernelSpec() {}

    /**
     * Writes {@code kernel.json} with this JVM and this jar.
     *
     * @param kernels the folder that holds a folder for each kernel
     * @return the file
     */
    static Path install(Path kernels) {
        Path folder = kernels.resolve("espalier");
        try {
            Files.createDirectories(folder);
            Path file = folder.resolve("kernel.json");
            Files.writeString(
                    file, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(content()) + "\n");
            return file;
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot write the kernel to " + folder + ": " + EspalierException.reason(e, folder), e);
        }
    }

    private static ObjectNode content() {
        ObjectNode spec = new ObjectMapper().createObjectNode();
        ArrayNode command = spec.putArray("argv");
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // A small heap beside mapped weights needs no collector threads of its own.
        command.add("-XX:+UseSerialGC");
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED"); // earlier ones neither need nor know it
        }
        command.add("-jar").add(jar().toString()).add("{connection_file}");
        spec.put("display_name", "Java (Espalier)");
        spec.put("language", "java");
        spec.put("interrupt_mode", "message");
        return spec;
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
