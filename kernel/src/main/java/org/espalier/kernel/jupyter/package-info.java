/**
 * The Jupyter wire, <a href="https://jupyter-client.readthedocs.io/en/stable/messaging.html">messaging protocol 5.3</a>: sockets, signed
 * messages, and the dispatch of requests. Knows nothing of Java code or models: those are behind {@link org.espalier.kernel.jupyter.Requests}.
 */
package org.espalier.kernel.jupyter;
