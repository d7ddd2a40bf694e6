/**
 * Engines in native libraries behind one C interface, {@code espalier.h}: programs and steps become flat words, and one call through JNA runs
 * a step. A step that comes to an exchange returns, and is resumed; so nothing native ever calls Java.
 */
package org.espalier.engine.library;
