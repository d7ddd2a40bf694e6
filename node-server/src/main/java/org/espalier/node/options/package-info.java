/** Command line options that the node's commands and the notebook's magics share. */
package org.espalier.node.options;
