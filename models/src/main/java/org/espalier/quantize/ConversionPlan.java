package org.espalier.quantize;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.EspalierException;
import org.espalier.architecture.MlxStorage;
import org.espalier.architecture.ModelWeights;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.JsonFile;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.config.TextConfig;
import org.espalier.model.Model;
import org.espalier.weights.Element;
import org.espalier.weights.Plain;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;

/**
 * What each weight of a Hugging Face checkpoint becomes in MLX's format, as mlx-lm 0.32 decides it: matrices whose rows are whole groups are
 * quantized, embeddings too; norms, biases and some routers are not; experts are stacked; multi-token-prediction layers, a tied output
 * matrix and all parts but text stay behind. What only one architecture does is its {@link MlxStorage}.
 *
 * <p>gpt-oss's experts stay in their 4 bits, gate and up no longer interleaved.
 *
 * @param quantization for config.json: settings of most modules, and of those that have others by their names
 */
record ConversionPlan(List<Converted> tensors, ObjectNode quantization) {

    private static final String EXPERTS = ".experts.*.";
    private static final String LATENT = ".self_attn.kv_b_proj.weight";
    private static final String WEIGHT = ".weight";
    private static final String FILTERS = ".conv1d.weight";
    /** What mlx-lm's cast_predicate leaves in float32. */
    private static final Pattern KEPT_IN_F32 = Pattern.compile(".*\\.(\\w*e_score_correction_bias|A_log)");

    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,6})\\..*");
    private static final Pattern TEXT = Pattern.compile("(model\\.(embed_tokens|layers|norm)|lm_head)\\..*");
    private static final Pattern ROUTER =
            Pattern.compile(".*\\.((mlp|block_sparse_moe)\\.(gate|router|shared_expert_gate)|router\\.proj)");
    private static final Pattern NORM = Pattern.compile(".*norm(_\\d)?\\.weight");

    static ConversionPlan of(Model model, AffineGroups groups) {
        return new Planner(model, groups).plan();
    }

    private static final class Planner {
        private final Model model;
        private final Checkpoint checkpoint;
        private final MlxStorage storage;
        private final AffineGroups groups;
        private final FloatType type;
        /** What mlx-lm puts before the names of a multimodal model's text part. */
        private final String prefix;

        private final List<Converted> tensors = new ArrayList<>();
        private final Map<String, ObjectNode> overrides = new LinkedHashMap<>();
        /** Whether its norms still lack the one. */
        private final boolean centredNorms;
        /** Whether most of the model is in 4-bit floats already, so that each other module says what it is. */
        private final boolean mostlyFloats;

        Planner(Model model, AffineGroups groups) {
            this.model = model;
            this.checkpoint = model.checkpoint();
            this.storage = model.architecture().mlxStorage();
            this.groups = groups;
            this.type = floatType(checkpoint.config());
            if (checkpoint.layout() != Checkpoint.Layout.SAFETENSORS) {
                throw new EspalierException(checkpoint.path() + " is stored as " + checkpoint.layout()
                        + ": quantize needs a Hugging Face checkpoint with unquantized weights");
            }
            boolean nested = TextConfig.isNested(JsonFile.read(checkpoint.path().resolve("config.json")));
            this.prefix = nested ? "language_model." : "";
            this.centredNorms = storage.norms() == MlxStorage.Norms.PLUS_ONE
                    && checkpoint.names().stream()
                            .filter(name -> name.endsWith(FILTERS))
                            .allMatch(name -> ModelWeights.publishedFilters(checkpoint.weight(name)));
            this.mostlyFloats = checkpoint.names().stream()
                    .filter(this::isConverted)
                    .anyMatch(name -> checkpoint.weight(name).format().equals(Scaled.MXFP4));
        }

        /** What {@code torch_dtype} says; bf16 where it says nothing, as models are trained today. */
        private static FloatType floatType(ObjectNode config) {
            String name = config.path("torch_dtype").asText(config.path("dtype").asText(""));
            return FloatType.named(name).orElse(FloatType.BF16);
        }

        ConversionPlan plan() {
            for (String name : checkpoint.names()) {
                if (!isConverted(name)) {
                    continue;
                }
                Weight weight = checkpoint.weight(name);
                if (name.endsWith(LATENT) && storage.cut().isPresent()) {
                    cut(
                            name.substring(0, name.lastIndexOf(".kv_b_proj")),
                            storage.cut().get());
                } else if (name.endsWith(FILTERS)) {
                    filters(converted(name), weight);
                } else if (isVector(name)) {
                    vector(converted(name), weight);
                } else {
                    matrix(converted(name), weight);
                }
            }
            ObjectNode quantization = settings(mostlyFloats ? 4 : groups.bits(), mostlyFloats ? 32 : groups.group());
            quantization.put("mode", mostlyFloats ? "mxfp4" : "affine");
            overrides.forEach(quantization::set);
            return new ConversionPlan(tensors, quantization);
        }

        private String converted(String name) {
            return prefix + name.replace(EXPERTS, "." + storage.experts() + ".");
        }

        private static ObjectNode settings(int bits, int group) {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("group_size", group)
                    .put("bits", bits);
        }

        private boolean isConverted(String name) {
            Matcher layer = LAYER.matcher(name);
            boolean extra = layer.matches()
                    && Integer.parseInt(layer.group(1)) >= model.architecture().layers();
            return !extra
                    && TEXT.matcher(name).matches()
                    && !name.endsWith("rotary_emb.inv_freq")
                    && !(name.equals("lm_head.weight") && model.architecture().tiedEmbeddings());
        }

        /** All but the weights of linear modules and embeddings. */
        private static boolean isVector(String name) {
            return !name.endsWith(WEIGHT) || NORM.matcher(name).matches();
        }

        private void vector(String name, Weight weight) {
            if (weight.rows() != 1 && weight.columns() != 1) {
                throw new EspalierException(checkpoint.path() + ": tensor " + name + " has " + weight.rows()
                        + " rows of " + weight.columns() + " values, expected a vector: quantize does not know it");
            }
            int width = weight.rows() * weight.columns();
            List<Integer> shape = weight.count() == 1 ? List.of(width) : List.of(weight.count(), width);
            boolean kept =
                    KEPT_IN_F32.matcher(name).matches() && weight.format().equals(new Plain(Element.F32));
            boolean centred = centredNorms && NORM.matcher(name).matches() && !name.contains(".linear_attn.");
            tensors.add(new Converted.Plain(name, weight, shape, kept ? FloatType.F32 : type, centred ? 1 : 0));
        }

        /** Of a short convolution: [channels, 1, kernel] becomes [channels, kernel, 1]. */
        private void filters(String name, Weight weight) {
            List<Integer> shape = List.of(weight.count(), weight.rows() * weight.columns(), 1);
            tensors.add(new Converted.Plain(name, weight, shape, type));
        }

        private void cut(String attention, LatentAttentionConfig config) {
            matrix(prefix + attention + ".embed_q.weight", ModelWeights.keyUp(checkpoint, attention, config));
            matrix(prefix + attention + ".unembed_out.weight", ModelWeights.valueUp(checkpoint, attention, config));
        }

        private void matrix(String name, Weight weight) {
            String module = name.substring(0, name.length() - WEIGHT.length());
            boolean one = weight.count() == 1 && !module.contains("." + storage.experts() + ".");
            List<Integer> shape = one
                    ? List.of(weight.rows(), weight.columns())
                    : List.of(weight.count(), weight.rows(), weight.columns());
            MlxStorage.Router router =
                    ROUTER.matcher(module).matches() ? storage.router() : MlxStorage.Router.AS_OTHERS;
            if (weight.format().equals(Scaled.MXFP4)) {
                tensors.add(new Converted.Repacked(module, weight, shape));
            } else if (weight.columns() % groups.group() != 0 || router == MlxStorage.Router.FLOATS) {
                tensors.add(new Converted.Plain(name, weight, shape, type));
            } else if (router == MlxStorage.Router.EIGHT_BITS) {
                overrides.put(module, settings(8, 64));
                tensors.add(new Converted.Quantized(module, weight, shape, new AffineGroups(8, 64), type));
            } else {
                if (mostlyFloats) {
                    overrides.put(
                            module, settings(groups.bits(), groups.group()).put("mode", "affine"));
                }
                tensors.add(new Converted.Quantized(module, weight, shape, groups, type));
            }
        }
    }
}
