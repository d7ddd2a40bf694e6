package org.espalier.kernel.extension;

import java.util.List;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.magic.MagicsRegistry;
import org.espalier.EspalierException;
import org.espalier.kernel.magic.Magic;
import org.espalier.kernel.magic.MagicCall;
import org.espalier.kernel.magic.Words;

/** A magic that an extension registered. */
final class ExtensionMagic implements Magic {

    private final String name;
    private final ExtensionHost host;

    ExtensionMagic(String name, ExtensionHost host) {
        this.name = name;
        this.host = host;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String summary() {
        return "from an extension";
    }

    @Override
    public String usage() {
        MagicsRegistry registry = host.getMagicsRegistry();
        return (registry.getLineMagicNames().contains(name) ? "%" + name + " ARGUMENTS\n" : "")
                + (registry.getCellMagicNames().contains(name) ? "%%" + name + " ARGUMENTS, with a body below\n" : "");
    }

    @Override
    public void run(MagicCall call) throws InterruptedException {
        host.attach(call.output());
        try {
            Object value = evaluate(call);
            if (value != null) {
                call.output()
                        .display(
                                value instanceof DisplayData data
                                        ? data
                                        : host.getRenderer().render(value));
            }
        } catch (EspalierException | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new EspalierException("%" + name + " failed: " + e, e);
        }
    }

    private Object evaluate(MagicCall call) throws Exception {
        List<String> words = Words.of(call.arguments());
        return call.body().isPresent()
                ? host.getMagicsRegistry()
                        .evalCellMagic(host, name, words, call.body().get())
                : host.getMagicsRegistry().evalLineMagic(host, name, words);
    }
}
