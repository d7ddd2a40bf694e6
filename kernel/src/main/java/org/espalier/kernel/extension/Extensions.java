package org.espalier.kernel.extension;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.dflib.jjava.jupyter.Extension;
import org.espalier.kernel.magic.Magic;

/** Makes the base kernel's extensions useful here. */
public final class Extensions {

    private Extensions() {}

    /** Installs extensions and gives their magics, each name once. */
    public static List<Magic> install(Iterable<Extension> extensions) {
        ExtensionHost host = new ExtensionHost();
        for (Extension extension : extensions) {
            extension.install(host);
        }
        Set<String> names = new TreeSet<>(host.getMagicsRegistry().getLineMagicNames());
        names.addAll(host.getMagicsRegistry().getCellMagicNames());
        List<Magic> magics = new ArrayList<>();
        names.forEach(name -> magics.add(new ExtensionMagic(name, host)));
        return magics;
    }
}
