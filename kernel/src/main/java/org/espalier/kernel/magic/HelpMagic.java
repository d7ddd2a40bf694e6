package org.espalier.kernel.magic;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code %help NAME}: how a magic is used. */
final class HelpMagic implements Magic {

    private final Magics magics;

    HelpMagic(Magics magics) {
        this.magics = magics;
    }

    @Override
    public String name() {
        return "help";
    }

    @Override
    public String summary() {
        return "explains how to use a magic: %help generate";
    }

    @Override
    public String usage() {
        return "%help NAME";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Help());
    }

    @Command(name = "%help", description = "Explains how to use a magic.")
    private static final class Help {
        @Parameters(arity = "0..1", paramLabel = "MAGIC", description = "Its name.")
        private String magic = "";
    }

    @Override
    public void run(MagicCall call) {
        String wanted = Options.parse(new Help(), call.words()).magic.replaceFirst("^%+", "");
        if (wanted.isEmpty()) {
            new MagicsMagic(magics).show(call);
        } else {
            call.output().print(magics.named(wanted).usage() + "\n");
        }
    }
}
