/** How nodes are reached: addresses, and the one place that makes channels. */
package org.espalier.transport;
