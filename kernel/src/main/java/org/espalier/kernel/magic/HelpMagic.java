package org.espalier.kernel.magic;

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
    public void run(MagicCall call) {
        String wanted = call.arguments().replaceFirst("^%+", "").strip();
        if (wanted.isEmpty()) {
            new MagicsMagic(magics).run(call);
        } else {
            call.output().print(magics.named(wanted).usage() + "\n");
        }
    }
}
