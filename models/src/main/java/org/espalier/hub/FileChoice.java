package org.espalier.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which of a repository's files make up one model. */
final class FileChoice {

    static final String CONFIG = "config.json";
    static final String INDEX = "model.safetensors.index.json";
    private static final String SINGLE = "model.safetensors";

    /** Beside config and weights: what tokenizer and chat need. */
    private static final Pattern SMALL =
            Pattern.compile("generation_config\\.json|tokenizer[^/]*|special_tokens_map\\.json|"
                    + "vocab[^/]*|merges\\.txt|added_tokens\\.json|chat_template[^/]*|[^/]*\\.jinja|[^/]*\\.tiktoken");

    private static final Pattern PART = Pattern.compile("(.*)-\\d{5}-of-\\d{5}(\\.gguf)");
    private static final int SHOWN = 30;

    private final HubReference reference;
    private final List<HubFile> files;

    FileChoice(HubReference reference, HubListing listing) {
        this.reference = reference;
        this.files = listing.files();
    }

    /** Whether the model is one or several GGUF files rather than a folder with a config. */
    boolean isGguf() {
        return reference.file().isPresent()
                || file(CONFIG).isEmpty()
                || weights().isEmpty();
    }

    Optional<HubFile> file(String name) {
        return files.stream().filter(file -> file.name().equals(name)).findFirst();
    }

    private List<HubFile> weights() {
        return matching(file -> file.endsWith(".safetensors") && !file.name().contains("/"));
    }

    private List<HubFile> matching(Predicate<HubFile> condition) {
        return files.stream().filter(condition).toList();
    }

    /** @param shards the files that the index names; empty where there is no index */
    List<HubFile> folder(Set<String> shards) {
        List<HubFile> chosen =
                new ArrayList<>(matching(file -> SMALL.matcher(file.name()).matches()));
        file(CONFIG).ifPresent(chosen::add);
        file(INDEX).filter(index -> !shards.isEmpty()).ifPresent(chosen::add);
        for (String name : shards.isEmpty() ? Set.of(SINGLE) : shards) {
            chosen.add(file(name)
                    .orElseThrow(() -> new HubException(reference + " has no file " + name
                            + (shards.isEmpty()
                                    ? ": its weights are in a format that is not read"
                                    : ", which its " + INDEX + " names: the repository is incomplete"))));
        }
        return chosen;
    }

    /** All parts of the one GGUF file that is asked for, or that there is. */
    List<HubFile> gguf() {
        Map<String, List<HubFile>> models = new TreeMap<>();
        for (HubFile file : matching(candidate -> candidate.endsWith(".gguf") && !isProjector(candidate))) {
            Matcher part = PART.matcher(file.name());
            String whole = part.matches() ? part.group(1) + part.group(2) : file.name();
            models.computeIfAbsent(whole, name -> new ArrayList<>()).add(file);
        }
        if (models.isEmpty()) {
            throw new HubException(reference + " holds neither safetensors with a config.json nor GGUF files: there is"
                    + " nothing in it that can be loaded");
        }
        reference.file().ifPresent(wanted -> models.keySet().removeIf(name -> !names(name, wanted)));
        if (models.size() != 1) {
            throw ambiguous(models);
        }
        return models.values().iterator().next();
    }

    /** Part of models that see pictures. */
    private static boolean isProjector(HubFile file) {
        return file.name().toLowerCase(Locale.ROOT).contains("mmproj");
    }

    /** The whole name, or a quantization between other characters: Q4_K does not name Q4_K_M. */
    private static boolean names(String file, String wanted) {
        Matcher part = PART.matcher(wanted);
        String whole = part.matches() ? part.group(1) + part.group(2) : wanted;
        return file.equalsIgnoreCase(whole)
                || Pattern.compile(
                                "(^|[^A-Za-z0-9_])" + Pattern.quote(whole) + "([^A-Za-z0-9_]|$)",
                                Pattern.CASE_INSENSITIVE)
                        .matcher(file)
                        .find();
    }

    private HubException ambiguous(Map<String, List<HubFile>> left) {
        List<String> all = new ArrayList<>(left.keySet());
        if (all.isEmpty()) {
            matching(file -> file.endsWith(".gguf")).forEach(file -> all.add(file.name()));
        }
        String shown = String.join(", ", all.subList(0, Math.min(SHOWN, all.size())))
                + (all.size() > SHOWN ? " and " + (all.size() - SHOWN) + " more" : "");
        return left.isEmpty()
                ? new HubException(reference.repository() + " has no GGUF file "
                        + reference.file().orElse("") + "; it has " + shown)
                : new HubException(reference.repository() + " holds several GGUF files: say which, for instance "
                        + reference.repository() + ":" + all.get(0) + "; there are " + shown);
    }
}
