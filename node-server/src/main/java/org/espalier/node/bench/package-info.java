/** How fast an engine of this machine runs a model's program: without sampling, and without a ring. */
package org.espalier.node.bench;
