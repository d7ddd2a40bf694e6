package org.espalier.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/** Another process that pulls {@code org/model}: ends with 0 when it has it. */
final class PullProgram {

    private PullProgram() {}

    /** Starts it. */
    static Process start(URI hub, Path cache) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PullProgram.class.getName(),
                        hub.toString(),
                        cache.toString())
                .inheritIO()
                .start();
    }

    public static void main(String[] arguments) {
        HubSettings settings = new HubSettings(
                URI.create(arguments[0]), Path.of(arguments[1]), Optional.empty(), HubSettings.Access.ONLINE);
        ModelPull.pull(HubReference.parse("org/model"), settings, PullListener.SILENT);
    }
}
