package org.espalier.node.ring;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.espalier.engine.RouterEdits;
import org.espalier.v1.LayerEdit;

/** Reads a session's router edits from the wire. */
final class SessionEdits {

    private SessionEdits() {}

    static RouterEdits of(List<LayerEdit> edits) {
        Map<Integer, RouterEdits.LayerEdit> layers = new TreeMap<>();
        for (LayerEdit edit : edits) {
            layers.put(
                    edit.getLayer(),
                    new RouterEdits.LayerEdit(
                            Set.copyOf(edit.getBanList()),
                            edit.getForceList(),
                            edit.getTopK() == 0 ? OptionalInt.empty() : OptionalInt.of(edit.getTopK()),
                            edit.hasScale() ? edit.getScale() : 1));
        }
        return layers.isEmpty() ? RouterEdits.NONE : new RouterEdits(layers);
    }
}
