package org.espalier.architecture;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.AttentionConfig;
import org.espalier.config.Backbone;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Program;
import org.espalier.slice.JoinedLayers;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;

/** What a model's config.json says, and how such a model computes. One record each, named after Hugging Face's {@code model_type}. */
public interface Architecture {

    /** Hugging Face's {@code model_type}, which names the architecture. */
    String modelType();

    /** The part of the config that every architecture has. */
    Backbone backbone();

    /** How tokens attend to each other. */
    AttentionConfig attention();

    /** The routed experts; {@link RoutedExperts#NONE} in a dense model. */
    default RoutedExperts experts() {
        return RoutedExperts.NONE;
    }

    /** Keys of the config that were neither read nor known to be harmless, for {@code inspect}. */
    List<String> ignoredKeys();

    /**
     * The program of a node's slice: the one with layer 0 embeds tokens, the one with the last layer yields logits.
     *
     * @throws org.espalier.checkpoint.CheckpointException naming a tensor that is missing or has another shape than the config says
     */
    Program program(Checkpoint checkpoint, Member member);

    /** The program of layers that one node has for itself. */
    default Program program(Checkpoint checkpoint, LayerRange layers) {
        return program(checkpoint, Member.alone(layers));
    }

    /** The layers that need the layer before them on their node. */
    default JoinedLayers joinedLayers() {
        return JoinedLayers.NONE;
    }

    /** How mlx-lm stores a model of this architecture, for {@code quantize}. */
    default MlxStorage mlxStorage() {
        return MlxStorage.USUAL;
    }

    /** The routed experts; empty if no layer has any. */
    default Optional<RoutedExperts> moe() {
        return experts().layers().isEmpty() ? Optional.empty() : Optional.of(experts());
    }

    /** L, the number of decoder layers; multi-token-prediction layers not counted. */
    default int layers() {
        return backbone().layers();
    }

    /** D, the hidden width. */
    default int hidden() {
        return backbone().hidden();
    }

    /** V, the size of the vocabulary. */
    default int vocabulary() {
        return backbone().vocabulary();
    }

    /** The most positions of a sequence, prompt and answer together. */
    default int context() {
        return backbone().context();
    }

    /** Ids that end an answer; {@code eos_token_id}, one or several. */
    default Set<Integer> endOfSequence() {
        return backbone().endOfSequence();
    }

    default boolean tiedEmbeddings() {
        return backbone().tiedEmbeddings();
    }
}
