/** Brings MLX to this machine: the pinned wheel, an engine's library beside it, and a test of both before anything loads them. */
package org.espalier.node.delivery;
