package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.slice.Share.Cut;
import org.espalier.weights.Affine;
import org.espalier.weights.Pieces;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelWeightsTest {

    private static final Path MODELS = Path.of("src", "test", "resources", "models");
    private static final Path DEEPSEEK = MODELS.resolve("deepseek_v3-tiny/hf");
    private static final String ATTENTION = "model.layers.1.self_attn";

    private final ProgramBuilder program = new ProgramBuilder("main", 64);

    private final LatentAttentionConfig attention = (LatentAttentionConfig)
            Architectures.read(Checkpoint.open(DEEPSEEK, Architectures.gguf()).config())
                    .attention();

    @Test
    void aMatrixLiesWhereTheTensorDoes() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf());
        String tensor = "model.layers.0.self_attn.q_proj.weight";
        SafetensorsFile.Tensor entry = SafetensorsFile.read(MODELS.resolve("llama-tiny/hf/model.safetensors"))
                .entries()
                .get(tensor);

        Weight weight = weight(new ModelWeights(checkpoint, program).matrix(tensor, 128, 64));
        assertThat(weight.format()).isEqualTo(Plain.F16);
        assertThat(weight.rows()).isEqualTo(128);
        assertThat(weight.columns()).isEqualTo(64);
        assertThat(weight.pieces().get(0).values().offset()).isEqualTo(entry.begin());
        assertThat(weight.pieces().get(0).values().rowBytes()).isEqualTo(2 * 64);
        assertThat(weight.pieces().get(0).scales()).isNull();
    }

    @Test
    void keysAndValuesComeFromTheJointProjection() {
        Checkpoint checkpoint = Checkpoint.open(DEEPSEEK, Architectures.gguf());
        long joint = offset(checkpoint.weight(ATTENTION + ".kv_b_proj.weight"), 0);
        ModelWeights weights = new ModelWeights(checkpoint, program);

        Weight keys = weight(weights.mlaKeyUp(ATTENTION, attention, new Cut(0, attention.heads())));
        assertThat(keys.transposed()).isTrue();
        assertThat(List.of(keys.count(), keys.rows(), keys.columns()))
                .containsExactly(attention.heads(), attention.kvRank(), attention.nope());
        Weight values = weight(weights.mlaValueUp(ATTENTION, attention, new Cut(0, attention.heads())));
        assertThat(values.transposed()).isFalse();
        assertThat(List.of(values.count(), values.rows(), values.columns()))
                .containsExactly(attention.heads(), attention.value(), attention.kvRank());
        int headRows = attention.nope() + attention.value();
        for (Weight half : List.of(keys, values)) {
            assertThat(((Pieces.Stack) half.pieces()).distance()).isEqualTo(headRows);
            assertThat(offset(half, 1)).isEqualTo(joint + (long) headRows * attention.kvRank() * 2);
        }
        assertThat(keys.storedRow(0)).isZero();
        assertThat(values.storedRow(0)).isEqualTo(attention.nope());
    }

    @Test
    void orFromTheTwoThatMlxKeeps() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("deepseek_v3-tiny/mlx4"), Architectures.gguf());
        ModelWeights weights = new ModelWeights(checkpoint, program);

        Weight keys = weight(weights.mlaKeyUp(ATTENTION, attention, new Cut(0, attention.heads())));
        assertThat(keys.transposed()).isFalse();
        assertThat(keys.format()).isInstanceOf(Affine.class);
        assertThat(keys.pieces().get(keys.count() - 1)).satisfies(piece -> {
            assertThat(piece.scales()).isNotNull();
            assertThat(piece.biases()).isNotNull();
        });
        Weight values = weight(weights.mlaValueUp(ATTENTION, attention, new Cut(0, attention.heads())));
        assertThat(List.of(values.count(), values.rows(), values.columns()))
                .containsExactly(attention.heads(), attention.value(), attention.kvRank());
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf", "mlx4"})
    void heldExpertsAreInTheOrderAskedFor(String layout) {
        Checkpoint checkpoint =
                Checkpoint.open(MODELS.resolve("deepseek_v3-tiny").resolve(layout), Architectures.gguf());
        String experts = "model.layers.1.mlp.experts.*.up_proj.weight";
        Weight all = checkpoint.weight(experts);

        ModelWeights.Held held = new ModelWeights.Held(List.of(7, 3), 16);
        Weight weight = weight(new ModelWeights(checkpoint, program).expertRows(experts, held, new Cut(0, 64), 64, 64));

        assertThat(weight.count()).isEqualTo(2);
        assertThat(offset(weight, 0)).isEqualTo(offset(all, 7));
        assertThat(offset(weight, 1)).isEqualTo(offset(all, 3));
    }

    @Test
    void expertsThatAreNotThereCannotBeHeld() {
        assertThatThrownBy(() -> new ModelWeights.Held(List.of(3, 16), 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("experts [3, 16] of 16 cannot be held");
    }

    @Test
    void anotherNumberOfExpertsThanTheConfigSaysIsRefused() {
        ModelWeights weights = new ModelWeights(Checkpoint.open(DEEPSEEK, Architectures.gguf()), program);
        String experts = "model.layers.1.mlp.experts.*.up_proj.weight";

        assertThatThrownBy(
                        () -> weights.expertRows(experts, new ModelWeights.Held(List.of(3), 8), new Cut(0, 64), 64, 64))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "tensor " + experts + " has the shape [16, 64, 64], expected [8, 64, 64] as the config says");
    }

    @Test
    void aWrongShapeNamesTensorExpectedAndFound() {
        ModelWeights weights =
                new ModelWeights(Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf()), program);

        assertThatThrownBy(() -> weights.matrix("model.layers.0.self_attn.q_proj.weight", 128, 65))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor model.layers.0.self_attn.q_proj.weight has the shape [128, 64]")
                .hasMessageContaining("expected [128, 65]");
        assertThatThrownBy(() -> weights.vector("model.norm.weight", 65))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("expected [65]");
    }

    @Test
    void aMissingTensorIsNamed() {
        ModelWeights weights =
                new ModelWeights(Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf()), program);

        assertThatThrownBy(() -> weights.matrix("lm_head.weight", 264, 64))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("lm_head.weight");
    }

    private Weight weight(String name) {
        Program built = program.build(new View(0, 0, 64), new View(0, 0, 64));
        return built.weight(name);
    }

    private static long offset(Weight weight, int index) {
        return weight.pieces().get(index).values().offset();
    }
}
