/** Failures as values: what travels from the node that failed to whoever asked, over the wire and back, and is never told apart by its words. */
package org.espalier.failure;
