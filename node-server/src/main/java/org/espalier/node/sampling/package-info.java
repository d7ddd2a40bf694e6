/** Choosing the next token: a pure function, so that any node can go on with a session's sampling. */
package org.espalier.node.sampling;
