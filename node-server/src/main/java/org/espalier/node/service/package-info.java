/**
 * A node as a gRPC server: what clients ask of it, what other nodes say to it, and the deployments it holds. Also starts nodes: inside
 * this JVM, or as processes on this machine.
 */
package org.espalier.node.service;
