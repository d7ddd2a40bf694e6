package org.espalier.kernel.magic;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.espalier.EspalierException;
import org.espalier.model.NearestName;

/** The magics that a notebook knows, by name. */
public final class Magics {

    /** What other kernels call a magic, by that name. */
    private static final Map<String, String> ELSEWHERE = Map.of("lsmagic", "magics");

    private final Map<String, Magic> byName = new TreeMap<>();

    /**
     * All magics, for one notebook.
     *
     * @param more from extensions; a name that is taken already stays what it is
     */
    public Magics(NotebookCluster cluster, Collection<Magic> more) {
        more.forEach(magic -> byName.put(magic.name(), magic));
        for (Magic magic : List.of(
                new ClusterMagic(cluster),
                new ModelMagic(cluster),
                new GenerateMagic(cluster),
                new ExpertsMagic(cluster),
                new MavenMagic(),
                new JarsMagic(),
                new TimeMagic(this),
                new VarsMagic(),
                new WritefileMagic(),
                new LoadMagic(),
                new MagicsMagic(this),
                new HelpMagic(this))) {
            byName.put(magic.name(), magic);
        }
    }

    public Collection<Magic> all() {
        return byName.values();
    }

    public boolean isKnown(String name) {
        return find(name).isPresent();
    }

    public Optional<Magic> find(String name) {
        return Optional.ofNullable(byName.getOrDefault(name, byName.get(ELSEWHERE.getOrDefault(name, name))));
    }

    /** @throws EspalierException that lists the known ones and the nearest if there is none of that name */
    public Magic named(String name) {
        return find(name).orElseThrow(() -> {
            String meant = NearestName.of(name, byName.keySet())
                    .map(nearest -> ": did you mean %" + nearest + "?")
                    .orElse(".");
            return new EspalierException(
                    "there is no magic %" + name + meant + " There are %" + String.join(", %", byName.keySet()));
        });
    }
}
