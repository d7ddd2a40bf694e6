package org.espalier.kernel.jshell;

import java.util.concurrent.atomic.AtomicReference;

/** Where a snippet fetches an object that the kernel gives it; public because snippets are code like any other. */
public final class Handoff {

    private static final AtomicReference<Object> OBJECT = new AtomicReference<>();

    private Handoff() {}

    static void put(Object object) {
        OBJECT.set(object);
    }

    /** The object that the kernel put last. */
    public static Object take() {
        return OBJECT.getAndSet(null);
    }
}
