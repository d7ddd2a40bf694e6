package org.espalier.kernel.display;

import java.util.UUID;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** Something that was shown, by its display id. As a cell's value it shows nothing of its own. */
public final class DisplayHandle {

    private final String id = UUID.randomUUID().toString();

    DisplayHandle() {}

    void show(Object value) {
        CurrentCell.output().display(identified(CurrentCell.render(value)));
    }

    /** Shows a value in place of the former one, wherever that is. */
    public void update(Object value) {
        CurrentCell.output().update(identified(CurrentCell.render(value)));
    }

    /** Shows nothing any more; a later {@link #update} may show something again. */
    public void clear() {
        CurrentCell.output().update(identified(new DisplayData()));
    }

    private DisplayData identified(DisplayData data) {
        DisplayData copy = new DisplayData(data); // one object may be shown in several places
        copy.setDisplayId(id);
        return copy;
    }

    @Override
    public String toString() {
        return "display " + id;
    }
}
