package org.espalier.kernel.magic;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.EspalierException;

/** The magics that a notebook knows, by name. */
public final class Magics {

    private final Map<String, Magic> byName = new TreeMap<>();

    /** All magics, for one notebook. */
    public Magics(NotebookCluster cluster) {
        for (Magic magic : List.of(
                new ClusterMagic(cluster),
                new ModelMagic(cluster),
                new GenerateMagic(cluster),
                new ExpertsMagic(cluster),
                new MagicsMagic(this),
                new HelpMagic(this))) {
            byName.put(magic.name(), magic);
        }
    }

    public Collection<Magic> all() {
        return byName.values();
    }

    /** @throws EspalierException that lists the known ones and the nearest if there is none of that name */
    public Magic named(String name) {
        Magic magic = byName.get(name);
        if (magic == null) {
            String nearest = byName.keySet().stream()
                    .min(Comparator.comparingInt(known -> distance(known, name)))
                    .orElseThrow();
            throw new EspalierException("there is no magic %" + name + ": did you mean %" + nearest + "? There are %"
                    + String.join(", %", byName.keySet()));
        }
        return magic;
    }

    /** Edits from one word to another, <a href="https://en.wikipedia.org/wiki/Levenshtein_distance">Levenshtein</a>. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
