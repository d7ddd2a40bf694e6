package org.espalier.template;

/** A function, a macro or a method bound to its value. */
@FunctionalInterface
interface Callable {
    Object call(Arguments arguments);
}
