package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import org.espalier.kernel.display.Grid;
import picocli.CommandLine.Command;

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
    public List<Object> commands() {
        return List.of(new Listing());
    }

    @Command(name = "%magics", description = "Lists the magics.")
    private static final class Listing {}

    @Override
    public void run(MagicCall call) {
        Options.parse(new Listing(), call.words());
        show(call);
    }

    void show(MagicCall call) {
        List<List<String>> rows = new ArrayList<>();
        magics.all().forEach(magic -> rows.add(List.of("%" + magic.name(), magic.summary())));
        rows.add(List.of("!command", "runs a command of the system; {name} is the value of a variable"));
        call.output().display(new Grid(List.of("magic", "does"), rows).display());
    }
}
