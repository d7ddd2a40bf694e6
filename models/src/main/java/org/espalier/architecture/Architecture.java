package org.espalier.architecture;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.program.Program;

/** How a model of one config computes. */
public interface Architecture {

    /**
     * The program of a range of layers: the range that begins with layer 0 embeds tokens, the one that ends with the last layer yields logits.
     *
     * @throws org.espalier.checkpoint.CheckpointException naming a tensor that is missing or has another shape than the config says
     */
    Program program(Checkpoint checkpoint, LayerRange layers);
}
