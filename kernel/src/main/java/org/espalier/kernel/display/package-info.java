/** What a notebook shows of clusters, placements and routing: tables, bars and heatmaps as HTML, SVG and plain text. */
package org.espalier.kernel.display;
