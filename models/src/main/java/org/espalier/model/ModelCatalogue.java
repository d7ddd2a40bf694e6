package org.espalier.model;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.espalier.Remedy;
import org.espalier.checkpoint.CheckpointException;

/**
 * Finds a model by path or by name in folders of models: the one answer to what a name means, for clients, magics, commands and nodes alike.
 * An existing path comes first, if the catalogue may read any path; then a name in these folders, in this order:
 *
 * <ol>
 *   <li>{@code models} and {@code notebooks/models} of the working directory, where notebooks keep theirs
 *   <li>those of the variable {@code ESPALIER_MODELS}
 *   <li>{@code ~/.espalier/models}
 *   <li>the Hugging Face hub's cache: {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else {@code ~/.cache/huggingface/hub}
 *   <li>{@code models} of the program itself, and {@code notebooks/models} beside it
 * </ol>
 *
 * A node that is given folders of its own looks in those alone.
 */
public final class ModelCatalogue {

    /** A short name for a file that is found by its own name. */
    record Alias(String name, String file) {}

    static final List<Alias> ALIASES = List.of(new Alias("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"));

    /** Where notebooks keep models, relative to them and to the project's root. */
    private static final List<Path> OF_NOTEBOOKS = List.of(Path.of("models"), Path.of("notebooks", "models"));

    private static final int SHOWN = 10;

    private final List<Path> roots;
    private final boolean restricted;

    private ModelCatalogue(List<Path> roots, boolean restricted) {
        Set<Path> distinct = new LinkedHashSet<>();
        roots.forEach(root -> distinct.add(root.toAbsolutePath().normalize()));
        this.roots = List.copyOf(distinct);
        this.restricted = restricted;
    }

    /** Any path that this process may read, and names in {@link #defaultRoots}. */
    public static ModelCatalogue ofThisMachine() {
        return new ModelCatalogue(defaultRoots(), false);
    }

    /** Only what lies in these folders, links followed: for a node that serves others. */
    public static ModelCatalogue restrictedTo(List<Path> roots) {
        return new ModelCatalogue(roots, true);
    }

    /** Only names in these folders, but any path: for tests and tools. */
    static ModelCatalogue only(List<Path> roots) {
        return new ModelCatalogue(roots, false);
    }

    /** The default folders. */
    public static List<Path> defaultRoots() {
        List<Path> roots = defaultRoots(System.getenv(), Path.of(System.getProperty("user.home")));
        ShippedModels.folder().ifPresent(models -> {
            roots.add(models);
            roots.add(models.resolveSibling("notebooks").resolve("models"));
        });
        return roots;
    }

    static List<Path> defaultRoots(Map<String, String> environment, Path home) {
        List<Path> roots = new ArrayList<>(OF_NOTEBOOKS);
        for (String root : environment.getOrDefault("ESPALIER_MODELS", "").split(File.pathSeparator)) {
            if (!root.isBlank()) {
                roots.add(Path.of(root));
            }
        }
        roots.add(home.resolve(".espalier").resolve("models"));
        Path hub = Optional.ofNullable(environment.get("HF_HOME"))
                .map(Path::of)
                .orElse(home.resolve(".cache").resolve("huggingface"))
                .resolve("hub");
        roots.add(Optional.ofNullable(environment.get("HF_HUB_CACHE"))
                .map(Path::of)
                .orElse(hub));
        return roots;
    }

    /** The folders in which names are looked up, in order. */
    public List<Path> roots() {
        return roots;
    }

    /** Names of all models in the folders, sorted. */
    public List<String> names() {
        Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        entries().forEach(entry -> names.add(entry.name()));
        return List.copyOf(names);
    }

    /** All models in the folders by name, with the bytes of their files: looks at each file, which may take its share a while. */
    public SortedMap<String, Long> sizes() {
        SortedMap<String, Long> sizes = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        entries().forEach(entry -> sizes.computeIfAbsent(entry.name(), name -> entry.bytes()));
        return sizes;
    }

    /** All names that {@link #resolve(String)} takes: {@link #names}, then short ones of what is there. */
    public List<String> namesAndAliases() {
        List<ModelFolder.Listed> entries = entries();
        List<String> known = new ArrayList<>(names());
        ALIASES.stream()
                .filter(alias -> entries.stream().anyMatch(entry -> entry.isNamed(alias.file())))
                .forEach(alias -> known.add(alias.name()));
        return known;
    }

    /** @throws ModelNotFoundException if nothing is found, or {@link Model#open}'s errors */
    public Model open(String pathOrName) {
        return Model.open(resolve(pathOrName));
    }

    /**
     * Opens the identified files: of that name, or at the sender's path, those with the same hash, and with the same
     * revision if both sides know one. A name and a revision are only compared with what is in the folders, they never become a path; a
     * restricted catalogue ignores the sender's path.
     *
     * @throws ModelNotFoundException if there is none of that name, or only with other files; and {@link Model#open}'s errors
     */
    public Model open(ModelIdentity wanted) {
        return Model.open(resolve(wanted));
    }

    private Path resolve(ModelIdentity wanted) {
        List<String> others = new ArrayList<>();
        for (Path path : candidates(wanted)) {
            try {
                ModelIdentity found = ModelIdentity.of(allowed(path));
                if (found.hasTheFilesOf(wanted)) {
                    return path;
                }
                others.add("found " + found.fingerprint() + " in " + path);
            } catch (ModelNotFoundException | CheckpointException e) {
                others.add(e.getMessage());
            }
        }
        if (others.isEmpty()) {
            throw new ModelNotFoundException("no model " + wanted.name() + ": looked in " + where() + "; " + there()
                    + "; " + remedy(wanted) + " into one of these folders");
        }
        throw new ModelNotFoundException("another model has the name " + wanted.name() + " here: expected "
                + wanted.fingerprint() + ", " + String.join(", ", others) + "; " + remedy(wanted));
    }

    /** The candidates: the sender's path, then all models of that name, of any revision. */
    private Set<Path> candidates(ModelIdentity wanted) {
        Set<Path> candidates = new LinkedHashSet<>();
        if (!restricted) {
            hint(wanted.path()).ifPresent(candidates::add);
        }
        roots.stream()
                .flatMap(root -> ModelFolder.list(root, ModelFolder.Snapshots.ALL).stream())
                .filter(entry -> entry.isNamed(wanted.name()))
                .forEach(entry -> candidates.add(entry.path()));
        return candidates;
    }

    private static Optional<Path> hint(String text) {
        try {
            return Optional.of(Path.of(text)).filter(path -> path.isAbsolute() && Files.exists(path));
        } catch (InvalidPathException e) {
            return Optional.empty(); // a path of another operating system
        }
    }

    private static String remedy(ModelIdentity wanted) {
        String pull =
                wanted.revision().isEmpty() ? "" : "fetch it with `espalier-node pull " + wanted.onTheHub() + "`, or ";
        return pull + "copy the same files";
    }

    /**
     * The directory or .gguf file. An existing path comes before a name; names are compared without regard to case, with or without
     * their org.
     *
     * @throws ModelNotFoundException saying where it looked and what is there
     */
    public Path resolve(String pathOrName) {
        if (pathOrName.isBlank()) {
            throw new ModelNotFoundException("no model is named: give a path or a name");
        }
        Optional<Path> path = existing(pathOrName);
        if (path.isPresent()) {
            return path.get();
        }
        List<ModelFolder.Listed> entries = entries();
        String name = ALIASES.stream()
                .filter(alias -> alias.name().equalsIgnoreCase(pathOrName))
                .map(Alias::file)
                .findFirst()
                .orElse(pathOrName);
        List<ModelFolder.Listed> matches =
                entries.stream().filter(entry -> entry.isNamed(name)).toList();
        Set<String> names =
                matches.stream().map(ModelFolder.Listed::name).collect(Collectors.toCollection(TreeSet::new));
        if (names.size() > 1 && !names.contains(name)) {
            throw new ModelNotFoundException(
                    pathOrName + " may be one of " + String.join(", ", names) + ": name one of them in full");
        }
        return matches.stream()
                .filter(entry -> names.size() == 1 || entry.name().equals(name))
                .findFirst()
                .map(entry -> allowed(entry.path()))
                .orElseThrow(() -> notFound(pathOrName));
    }

    private Optional<Path> existing(String text) {
        try {
            boolean inHome = text.startsWith("~/");
            Path path = inHome ? Path.of(System.getProperty("user.home"), text.substring(2)) : Path.of(text);
            Path absolute = path.toAbsolutePath().normalize();
            if (restricted) { // not even whether a path outside exists is disclosed
                boolean isPath = inHome || path.isAbsolute() || path.startsWith("..");
                return isPath ? Optional.of(allowed(absolute)) : Optional.empty();
            }
            return Files.exists(absolute) ? Optional.of(absolute) : Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private Path allowed(Path path) {
        if (restricted) {
            new ModelRoots(roots).require(path);
        }
        return path;
    }

    private List<ModelFolder.Listed> entries() {
        return roots.stream()
                .flatMap(root -> ModelFolder.list(root, ModelFolder.Snapshots.CURRENT).stream())
                .toList();
    }

    private ModelNotFoundException notFound(String name) {
        String nearest = NearestName.of(name, namesAndAliases())
                .map(near -> ": did you mean " + near + "?")
                .orElse("");
        String message =
                "no model " + name + ": no such path, and no such name in " + where() + "; " + there() + nearest;
        boolean onTheHub = name.matches("[\\w.-]+/[\\w.@:/-]+") && !restricted;
        return onTheHub ? new ModelNotFoundException(message, Remedy.FETCH) : new ModelNotFoundException(message);
    }

    private String where() {
        return roots.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    private String there() {
        List<String> names = names();
        return names.isEmpty()
                ? "they hold no model"
                : "they hold " + String.join(", ", names.subList(0, Math.min(SHOWN, names.size())))
                        + (names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "");
    }
}
