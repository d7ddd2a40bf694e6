/** What the owner of a machine sends back: what it is, whether MLX runs on it, and how fast. Everything that runs native code does so in a child process. */
package org.espalier.node.doctor;
