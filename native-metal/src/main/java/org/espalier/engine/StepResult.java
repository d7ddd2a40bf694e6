package org.espalier.engine;

import java.nio.ByteBuffer;

/**
 * What a step yields.
 *
 * @param activations [T, D] for the next shard, in the precision of the run, little-endian; null if the program ends in logits
 * @param logits [wanted rows][V] in the order of the entries; empty if the program does not end in logits
 * @param greedy the token that each greedy entry took, in the order of the entries
 * @param routing the decisions of this shard's MoE layers; null unless wanted
 * @param lastHidden [T, D] as activations; null unless wanted
 */
public record StepResult(
        ByteBuffer activations, float[][] logits, int[] greedy, Routing routing, ByteBuffer lastHidden) {}
