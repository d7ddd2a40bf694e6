/** Which experts fired: the ordered {@link org.espalier.routing.RoutingTrace} of a generation and the statistics drawn from it. */
package org.espalier.routing;
