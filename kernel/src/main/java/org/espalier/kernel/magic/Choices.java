package org.espalier.kernel.magic;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.cluster.EngineInfo;
import org.espalier.cluster.NodeInfo;
import org.espalier.model.ModelCatalogue;
import org.espalier.placement.Strategy;
import picocli.CommandLine.Model.ArgSpec;

/**
 * What may be typed for a parameter, by its label: {@code float32|fast} is one of the two, {@code FILE} and {@code PATH} are files ({@code
 * FILE.json} those of a kind), {@code PATH-OR-NAME} models too, {@code DEPLOYMENT} what is loaded, {@code HOST:PORT} nodes, {@code ENGINE}
 * theirs, {@code STRATEGY} one of placement, {@code MAGIC} magics. Of nodes it is what they last answered: Tab asks nobody.
 */
final class Choices {

    private static final int MOST_FILES = 200;

    private final NotebookCluster notebook;
    private final Magics magics;

    Choices(NotebookCluster notebook, Magics magics) {
        this.notebook = notebook;
        this.magics = magics;
    }

    /** Values that begin with {@code typed}. */
    List<String> of(ArgSpec argument, String typed) {
        List<String> fixed = Options.choices(argument);
        Stream<String> values = fixed.isEmpty()
                ? Stream.of(argument.paramLabel().split("\\|")).flatMap(label -> labelled(label, typed))
                : fixed.stream();
        return values.filter(value -> value.startsWith(typed)).distinct().toList();
    }

    private Stream<String> labelled(String label, String typed) {
        return switch (label) {
            case "PATH-OR-NAME" ->
                Stream.concat(ModelCatalogue.ofThisMachine().namesAndAliases().stream(), files(typed, "").stream());
            case "FILE", "PATH" -> files(typed, "").stream();
            case "FILE.json" -> files(typed, ".json").stream();
            case "DEPLOYMENT" -> notebook.knownDeployments().stream();
            case "HOST:PORT" -> notebook.knownNodes().stream().map(NodeInfo::address);
            case "ENGINE" ->
                notebook.knownNodes().stream()
                        .flatMap(node -> node.engines().stream())
                        .map(EngineInfo::name);
            case "STRATEGY" -> Strategy.BY_NAME.keySet().stream();
            case "MAGIC" -> magics.all().stream().map(Magic::name);
            default -> Stream.empty();
        };
    }

    /** Files and folders in the folder that is typed; a folder ends in a slash. Hidden ones only when their dot is typed. */
    static List<String> files(String typed, String ending) {
        String folder = typed.substring(0, typed.lastIndexOf('/') + 1);
        String name = typed.substring(folder.length());
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(FileName.path(folder))) {
            for (Path entry : entries) {
                String file = entry.getFileName().toString();
                if (file.startsWith(name) && (name.startsWith(".") || !file.startsWith("."))) {
                    if (Files.isDirectory(entry)) {
                        found.add(folder + file + "/");
                    } else if (file.endsWith(ending)) {
                        found.add(folder + file);
                    }
                }
                if (found.size() == MOST_FILES) {
                    break;
                }
            }
        } catch (IOException | DirectoryIteratorException | EspalierException e) {
            return List.of(); // whoever runs the magic is told
        }
        found.sort(null);
        return found;
    }
}
