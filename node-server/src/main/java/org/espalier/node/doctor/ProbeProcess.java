package org.espalier.node.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.EspalierException;
import org.espalier.node.delivery.ChildProcess;

/**
 * Runs a {@link Probe} in a process of its own.
 *
 * @param engine its name
 * @param home where MLX lies; null where the engine does not need it
 * @param deadline of one measurement
 */
record ProbeProcess(String engine, Path home, Duration deadline) {

    /** What it printed: numbers by name, and what the engine chose, a sentence each. */
    record Measured(Map<String, Double> numbers, List<String> choices) {

        double number(String name) {
            return numbers.get(name);
        }
    }

    /**
     * What it printed.
     *
     * @param environment added to this process's
     * @throws EspalierException saying why there are none
     */
    Measured measure(Probe.Kind kind, int layers, Map<String, String> environment) throws InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (home != null) {
            command.add("-Despalier.mlx=" + home);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
        ChildProcess.Ended ended;
        try {
            Path weights = Files.createTempFile("espalier-probe", ".weights");
            try {
                command.addAll(List.of(engine, kind.name(), Integer.toString(layers), weights.toString()));
                ended = new ChildProcess(command, environment, deadline).run();
            } finally {
                Files.deleteIfExists(weights); // a child that is killed cannot
            }
        } catch (IOException e) {
            throw new EspalierException("its process cannot be started: " + e.getMessage(), e);
        }
        if (ended.code().isEmpty()) {
            throw new EspalierException("it did not end within " + deadline.toSeconds() + " s and was killed");
        }
        Map<String, Double> measured = new LinkedHashMap<>();
        List<String> choices = ended.output()
                .lines()
                .filter(line -> line.startsWith(Probe.CHOSE))
                .map(line -> line.substring(Probe.CHOSE.length()))
                .toList();
        ended.output()
                .lines()
                .filter(line -> line.startsWith(Probe.MEASURED))
                .map(line -> line.split(" "))
                .forEach(words -> measured.put(words[1], Double.valueOf(words[2])));
        if (!ended.isFine() || measured.isEmpty() && choices.isEmpty()) {
            String first = ended.output()
                    .lines()
                    .filter(line -> line.contains("Exception"))
                    .findFirst()
                    .orElse(ended.lastLine());
            throw new EspalierException("its process ended with " + ended.code().get() + ": " + first);
        }
        return new Measured(measured, choices);
    }
}
