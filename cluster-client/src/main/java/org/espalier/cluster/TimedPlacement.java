package org.espalier.cluster;

import org.espalier.placement.Placement;

/** A placement, and how long a token takes in it. */
public record TimedPlacement(Placement placement, TokenTime time) {}
