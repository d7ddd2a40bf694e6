package org.espalier.engine.library;

import java.util.Map;
import java.util.TreeMap;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.RouterEdits.LayerEdit;

/** A session's interventions in routing as words, EDITS in {@code espalier.h}. */
final class EditsWords {

    private EditsWords() {}

    static Words of(RouterEdits edits) {
        return new Words().addList(new TreeMap<>(edits.layers()).entrySet(), EditsWords::addEdit);
    }

    private static void addEdit(Words words, Map.Entry<Integer, LayerEdit> layer) {
        LayerEdit edit = layer.getValue();
        words.add(layer.getKey())
                .addInts(edit.ban().stream().sorted().toList())
                .addInts(edit.force())
                .add(edit.topK().orElse(-1))
                .addFloat(edit.scale());
    }
}
