package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.Tensor;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.weights.Affine;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

class WeightsTest {

    private static final Path MODELS = Path.of("src", "test", "resources", "models");
    private static final String ATTENTION = "model.layers.1.self_attn";

    private final ProgramBuilder program = new ProgramBuilder("main", 64);

    @Test
    void aMatrixLiesWhereTheTensorDoes() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf());
        Tensor tensor = checkpoint.tensor("model.layers.0.self_attn.q_proj.weight");
        String name = new Weights(checkpoint, program).matrix(tensor.name(), 128, 64);

        Weight weight = weight(name);
        assertThat(weight.format()).isEqualTo(Plain.F16);
        assertThat(weight.rows()).isEqualTo(128);
        assertThat(weight.columns()).isEqualTo(64);
        assertThat(weight.pieces().get(0).values().offset())
                .isEqualTo(tensor.values().offset());
        assertThat(weight.pieces().get(0).values().rowBytes()).isEqualTo(2 * 64);
        assertThat(weight.pieces().get(0).scales()).isNull();
    }

    @Test
    void keysAndValuesComeFromTheJointProjection() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("deepseek_v3-tiny/hf"), Architectures.gguf());
        MlaShape shape = shape(checkpoint, ATTENTION);
        Tensor joint = checkpoint.tensor(ATTENTION + ".kv_b_proj.weight");
        Weights weights = new Weights(checkpoint, program);

        Weight keys = weight(weights.mlaKeyUp(ATTENTION, shape));
        assertThat(keys.transposed()).isTrue();
        assertThat(List.of(keys.count(), keys.rows(), keys.columns()))
                .containsExactly(shape.heads(), shape.rank(), shape.nope());
        Weight values = weight(weights.mlaValueUp(ATTENTION, shape));
        assertThat(values.transposed()).isFalse();
        assertThat(List.of(values.count(), values.rows(), values.columns()))
                .containsExactly(shape.heads(), shape.value(), shape.rank());
        long head = (long) (shape.nope() + shape.value()) * shape.rank() * 2;
        assertThat(keys.pieces().get(1).values().offset())
                .isEqualTo(joint.values().offset() + head);
        assertThat(values.pieces().get(1).values().offset())
                .isEqualTo(joint.values().offset() + head + (long) shape.nope() * shape.rank() * 2);
    }

    @Test
    void orFromTheTwoThatMlxKeeps() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("deepseek_v3-tiny/mlx4"), Architectures.gguf());
        List<Integer> embed = checkpoint.tensor(ATTENTION + ".embed_q.weight").shape();
        List<Integer> unembed =
                checkpoint.tensor(ATTENTION + ".unembed_out.weight").shape();
        MlaShape shape = new MlaShape(embed.get(0), embed.get(1), embed.get(2), unembed.get(1));
        Weights weights = new Weights(checkpoint, program);

        Weight keys = weight(weights.mlaKeyUp(ATTENTION, shape));
        assertThat(keys.transposed()).isFalse();
        assertThat(keys.format()).isInstanceOf(Affine.class);
        assertThat(keys.pieces().get(keys.count() - 1)).satisfies(piece -> {
            assertThat(piece.scales()).isNotNull();
            assertThat(piece.biases()).isNotNull();
        });
        assertThat(weight(weights.mlaValueUp(ATTENTION, shape)).rows()).isEqualTo(shape.value());
    }

    @Test
    void expertsAreOnePieceEachInTheOrderAskedFor() {
        Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("deepseek_v3-tiny/hf"), Architectures.gguf());
        String prefix = "model.layers.1.mlp.experts";
        Tensor seven = checkpoint.tensor(prefix + ".7.up_proj.weight");

        Weight weight = weight(new Weights(checkpoint, program)
                .experts(prefix, List.of(3, 7), "up_proj", seven.rows(), seven.columns()));

        assertThat(weight.count()).isEqualTo(2);
        assertThat(weight.pieces().get(1).values().offset())
                .isEqualTo(seven.values().offset());
    }

    @Test
    void aWrongShapeNamesTensorExpectedAndFound() {
        Weights weights = new Weights(Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf()), program);

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
        Weights weights = new Weights(Checkpoint.open(MODELS.resolve("llama-tiny/hf"), Architectures.gguf()), program);

        assertThatThrownBy(() -> weights.matrix("lm_head.weight", 264, 64))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("lm_head.weight");
    }

    private Weight weight(String name) {
        Program built = program.build(new View(0, 0, 64), new View(0, 0, 64));
        return built.weight(name);
    }

    private static MlaShape shape(Checkpoint checkpoint, String attention) {
        int heads = checkpoint.config().path("num_attention_heads").intValue();
        int nope = checkpoint.config().path("qk_nope_head_dim").intValue();
        int value = checkpoint.config().path("v_head_dim").intValue();
        Tensor joint = checkpoint.tensor(attention + ".kv_b_proj.weight");
        return new MlaShape(heads, joint.columns(), nope, value);
    }
}
