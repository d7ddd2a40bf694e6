/** The engine in plain Java, written for clarity: float32, and the oracle of every other engine's tests. */
package org.espalier.engine.reference;
