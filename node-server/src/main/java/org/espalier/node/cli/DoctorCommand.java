package org.espalier.node.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.node.delivery.MlxDelivery;
import org.espalier.node.doctor.Doctor;
import org.espalier.node.shard.Engines;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "doctor",
        description = {
            "Fetches MLX, tries it in a process of its own, and measures this machine.",
            "Prints one block of lines to send back with a report; takes some minutes on a Mac. Reads ESPALIER_PYPI."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class DoctorCommand implements Callable<Integer> {

    private static final int MOST_LAYERS = 64;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--engine",
            paramLabel = "E",
            defaultValue = "",
            description = "Whose speed is measured. Empty: mlx where it has a GPU, else none.")
    private String engine;

    @Option(
            names = "--layers",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "Layers of the mixture that is measured; each takes 226 MB of memory, one of them that of the temporary folder too.")
    private int layers;

    @Override
    public Integer call() {
        if (layers < 1 || layers > MOST_LAYERS) {
            throw new ParameterException(
                    spec.commandLine(), "--layers is " + layers + ", expected 1 to " + MOST_LAYERS);
        }
        if (!engine.isEmpty() && !Engines.names().contains(engine)) {
            throw new ParameterException(spec.commandLine(), Engines.unknown(engine));
        }
        Output out = new Output(spec);
        Doctor doctor = new Doctor(
                MlxDelivery.ofThisMachine(),
                engine,
                layers,
                (what, text) -> out.println(String.format(Locale.ROOT, "%-15s %s", what, text)));
        try (InterruptAtExit exit = new InterruptAtExit()) {
            doctor.report(new EspalierNode.Version().getVersion()[0]);
            return 0;
        } catch (InterruptedException e) {
            throw new EspalierException("the doctor was interrupted: what was measured is above", e);
        }
    }
}
