/** How the next token is chosen: the options, declared once for the API, the wire, the nodes and all command lines. */
package org.espalier.sampling;
