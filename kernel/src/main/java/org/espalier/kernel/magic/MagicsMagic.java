package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.kernel.display.Grid;

/** {@code %magics}: what there is. */
final class MagicsMagic implements Magic {

    private final Magics magics;

    MagicsMagic(Magics magics) {
        this.magics = magics;
    }

    @Override
    public String name() {
        return "magics";
    }

    @Override
    public String summary() {
        return "lists the magics";
    }

    @Override
    public String usage() {
        return "%magics";
    }

    @Override
    public void run(MagicCall call) {
        call.output()
                .display(new Grid(
                                List.of("magic", "does"),
                                magics.all().stream()
                                        .map(magic -> List.of("%" + magic.name(), magic.summary()))
                                        .toList())
                        .display());
    }
}
