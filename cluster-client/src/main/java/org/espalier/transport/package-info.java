/**
 * How nodes are reached and who may reach them: addresses, certificates and secrets, the one place that makes channels, and what a listener
 * asks of its callers. Knows no message of the protocol.
 */
package org.espalier.transport;
