/** Hostile input for parsers: a mutator with reproducible seeds, and a run that holds every input to a result or an error of ours. */
package org.espalier.fuzz;
