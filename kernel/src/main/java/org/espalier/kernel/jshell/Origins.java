package org.espalier.kernel.jshell;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;

/** Which cell each snippet came from. */
final class Origins {

    private static final Origin NONE = new Origin("", 1, "", 0);

    private final Map<Snippet, Origin> origins = new IdentityHashMap<>();
    private final BiConsumer<Snippet, Origin> compiled;

    /** @param compiled told of each snippet whose class is new */
    Origins(BiConsumer<Snippet, Origin> compiled) {
        this.compiled = compiled;
    }

    /** Takes note of the snippets of an evaluation; those that it compiled again stay where they came from. */
    void remember(List<SnippetEvent> events, Origin origin) {
        for (SnippetEvent event : events) {
            if (event.causeSnippet() == null) {
                remember(event.snippet(), origin);
            } else if (event.status().isDefined()) {
                compiled.accept(event.snippet(), of(event.snippet()));
            }
        }
    }

    void remember(Snippet snippet, Origin origin) {
        origins.put(snippet, origin);
        compiled.accept(snippet, origin);
    }

    /** Never null: code of the kernel's own came from no cell. */
    Origin of(Snippet snippet) {
        return origins.getOrDefault(snippet, NONE);
    }
}
