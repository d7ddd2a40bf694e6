package org.espalier.quantize;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import org.espalier.architecture.MergedExperts;
import org.espalier.architecture.MlaShape;
import org.espalier.architecture.Weights;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Tensor;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.model.Model;
import org.espalier.program.Activation;
import org.espalier.program.GatedUnit;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;

/**
 * What each tensor of a Hugging Face checkpoint becomes in MLX's format, as mlx-lm 0.32 decides it: matrices whose rows are whole groups are
 * quantized, embeddings too; norms, biases and DeepSeek's routers are not; experts are stacked; DeepSeek-V3's {@code kv_b_proj} is cut into
 * {@code embed_q} and {@code unembed_out}; multi-token-prediction layers and a tied output matrix stay behind.
 *
 * <p>gpt-oss's experts stay in their 4 bits, gate and up no longer interleaved.
 *
 * @param quantization for config.json: settings of most modules, and of those that have others by their names
 */
record ConversionPlan(List<Converted> tensors, ObjectNode quantization) {

    private static final Pattern EXPERT = Pattern.compile("(.+)\\.experts\\.(\\d{1,5})\\.(\\w+)\\.weight");
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,6})\\..*");
    private static final Map<String, String> MIXTRAL = Map.of("w1", "gate_proj", "w3", "up_proj", "w2", "down_proj");
    private static final String CORRECTION = "e_score_correction_bias"; // mlx-lm's cast_predicate spares it

    static ConversionPlan of(Model model, AffineGroups groups) {
        return new Planner(model, groups).plan();
    }

    private static final class Planner {
        private final Model model;
        private final Checkpoint checkpoint;
        private final AffineGroups groups;
        private final FloatType type;
        private final List<Converted> tensors = new ArrayList<>();
        private final Map<String, ObjectNode> overrides = new LinkedHashMap<>();
        /** Whether most of the model is in 4-bit floats already, so that each other module says what it is. */
        private boolean mostlyFloats;

        Planner(Model model, AffineGroups groups) {
            this.model = model;
            this.checkpoint = model.checkpoint();
            this.groups = groups;
            this.type = floatType(checkpoint.config());
            if (checkpoint.layout() != Checkpoint.Layout.SAFETENSORS) {
                throw new EspalierException(checkpoint.path() + " is stored as " + checkpoint.layout()
                        + ": quantize needs a Hugging Face checkpoint with unquantized weights");
            }
        }

        /** What {@code torch_dtype} says; bf16 where it says nothing, as models are trained today. */
        private static FloatType floatType(ObjectNode config) {
            String name = config.path("torch_dtype").asText(config.path("dtype").asText(""));
            return FloatType.named(name).orElse(FloatType.BF16);
        }

        ConversionPlan plan() {
            Map<String, Integer> stacks = new LinkedHashMap<>();
            if (isA("gpt_oss")) {
                for (int layer : model.architecture().experts().layers()) {
                    merged("model.layers." + layer + ".mlp.experts");
                }
            }
            for (String name : checkpoint.names()) {
                Matcher expert = EXPERT.matcher(name);
                if (isLeftBehind(name)) {
                    continue;
                }
                if (expert.matches()) {
                    stacks.merge(expert.group(1) + ".experts|" + expert.group(3), 1, Integer::sum);
                } else if (name.endsWith(".self_attn.kv_b_proj.weight")
                        && isA("deepseek_v3")
                        && model.architecture().attention() instanceof LatentAttentionConfig mla) {
                    latent(name.substring(0, name.length() - ".kv_b_proj.weight".length()), mla);
                } else if (!name.contains(".mlp.experts.")) {
                    single(name);
                }
            }
            stacks.forEach(this::stack);
            ObjectNode quantization = settings(mostlyFloats ? 4 : groups.bits(), mostlyFloats ? 32 : groups.group());
            quantization.put("mode", mostlyFloats ? "mxfp4" : "affine");
            overrides.forEach(quantization::set);
            return new ConversionPlan(tensors, quantization);
        }

        private static ObjectNode settings(int bits, int group) {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("group_size", group)
                    .put("bits", bits);
        }

        private boolean isA(String modelType) {
            return model.architecture().modelType().equals(modelType);
        }

        private boolean isLeftBehind(String name) {
            Matcher layer = LAYER.matcher(name);
            boolean extra = layer.matches()
                    && Integer.parseInt(layer.group(1)) >= model.architecture().layers();
            return extra
                    || name.endsWith("rotary_emb.inv_freq")
                    || name.equals("lm_head.weight") && model.architecture().tiedEmbeddings();
        }

        private void single(String name) {
            Tensor tensor = checkpoint.tensor(name);
            if (tensor.shape().size() == 1) {
                Weight vector = found(weights -> weights.vector(name, tensor.columns()));
                boolean spared = name.endsWith(CORRECTION);
                tensors.add(new Converted.Plain(name, vector, tensor.shape(), spared ? FloatType.F32 : type));
                return;
            }
            Weight matrix = found(weights -> weights.matrix(name, tensor.rows(), tensor.columns()));
            add(name, matrix, tensor.shape());
        }

        private void stack(String experts, int count) {
            String prefix = experts.substring(0, experts.indexOf('|'));
            String projection = experts.substring(experts.indexOf('|') + 1);
            Tensor first = checkpoint.tensor(prefix + ".0." + projection + ".weight");
            List<Integer> ids = IntStream.range(0, count).boxed().toList();
            Weight stack = found(weights -> weights.experts(prefix, ids, projection, first.rows(), first.columns()));
            String module = prefix.substring(0, prefix.length() - ".experts".length());
            String stacked = MIXTRAL.getOrDefault(projection, projection);
            add(module + ".switch_mlp." + stacked + ".weight", stack, List.of(count, first.rows(), first.columns()));
        }

        private void latent(String attention, LatentAttentionConfig config) {
            MlaShape shape = new MlaShape(config.heads(), config.kvRank(), config.nope(), config.value());
            add(
                    attention + ".embed_q.weight",
                    found(weights -> weights.mlaKeyUp(attention, shape)),
                    List.of(config.heads(), config.kvRank(), config.nope()));
            add(
                    attention + ".unembed_out.weight",
                    found(weights -> weights.mlaValueUp(attention, shape)),
                    List.of(config.heads(), config.value(), config.kvRank()));
        }

        private void merged(String prefix) {
            int count = model.architecture().experts().count();
            int width = model.architecture().experts().intermediate();
            int hidden = model.architecture().hidden();
            MergedExperts all =
                    new MergedExperts(IntStream.range(0, count).boxed().toList(), count, width, hidden);
            ProgramBuilder builder = new ProgramBuilder("quantize", 1);
            GatedUnit unit = new Weights(checkpoint, builder).mergedExperts(prefix, all, Activation.SILU);
            View none = builder.slot(1);
            Program program = builder.build(none, none);
            merged(prefix + ".gate_proj", program, unit.gate(), List.of(count, width, hidden));
            merged(prefix + ".up_proj", program, unit.up(), List.of(count, width, hidden));
            merged(prefix + ".down_proj", program, unit.down(), List.of(count, hidden, width));
        }

        private void merged(String module, Program program, Projection projection, List<Integer> shape) {
            Weight weight = program.weight(projection.weight());
            if (weight.format().equals(Scaled.MXFP4)) {
                mostlyFloats = true;
                tensors.add(new Converted.Repacked(module, weight, shape));
            } else {
                add(module + ".weight", weight, shape);
            }
            Weight bias = program.weight(projection.bias());
            tensors.add(new Converted.Plain(module + ".bias", bias, shape.subList(0, 2), type));
        }

        private void add(String name, Weight weight, List<Integer> shape) {
            String module = name.substring(0, name.length() - ".weight".length());
            boolean whole = weight.columns() % groups.group() == 0;
            if (!whole || isUnquantizedRouter(module)) {
                tensors.add(new Converted.Plain(name, weight, shape, type));
                return;
            }
            AffineGroups own = groups;
            if (isSensitiveRouter(module)) {
                own = new AffineGroups(8, 64);
                overrides.put(module, settings(8, 64));
            } else if (mostlyFloats) {
                overrides.put(module, settings(groups.bits(), groups.group()).put("mode", "affine"));
            }
            tensors.add(new Converted.Quantized(module, weight, shape, own, type));
        }

        /** DeepSeek and GLM multiply with the router's weight themselves. */
        private boolean isUnquantizedRouter(String module) {
            return module.endsWith(".mlp.gate") && (isA("deepseek_v2") || isA("deepseek_v3") || isA("glm4_moe"));
        }

        private boolean isSensitiveRouter(String module) {
            return module.endsWith(".mlp.gate") && isA("qwen3_moe") || module.endsWith(".mlp.router");
        }

        /** A weight as a run of the model would find it. */
        private Weight found(Function<Weights, String> search) {
            ProgramBuilder builder = new ProgramBuilder("quantize", 1);
            View none = builder.slot(1);
            String name = search.apply(new Weights(checkpoint, builder));
            Program program = builder.build(none, none);
            return program.weight(name);
        }
    }
}
