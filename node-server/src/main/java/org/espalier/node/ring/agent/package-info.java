/**
 * The ring's machine at work: the one agent thread of a node, the thread on which its engine computes, and what turns gRPC's calls into calls
 * of {@link org.espalier.node.ring.Member} and back. gRPC's threads and the engine's only enqueue here.
 */
package org.espalier.node.ring.agent;
