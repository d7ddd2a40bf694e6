/** The command line of a node: {@code serve}, {@code run}, {@code inspect}; one class each. */
package org.espalier.node.cli;
