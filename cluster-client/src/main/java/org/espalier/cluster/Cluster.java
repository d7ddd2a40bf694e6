package org.espalier.cluster;

/** Nodes that hold a model together. */
public final class Cluster {}
