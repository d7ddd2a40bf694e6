package org.espalier.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.ConfigReader;
import org.espalier.config.GatedDeltaConfig;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Rope;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/** Makes each weight that is asked for, in the seeded model's format where its columns fit it, and appends it to one file. */
final class SeededCheckpoint implements Checkpoint {

    private final Path file;
    private final SeededModel model;
    private final Map<String, Weight> weights = new HashMap<>();

    SeededCheckpoint(Path file, SeededModel model) throws IOException {
        this.file = file;
        this.model = model;
        Files.write(file, new byte[1]); // tensors begin at odd offsets
    }

    @Override
    public Weight weight(String name) {
        Weight known = weights.get(name);
        if (known == null) {
            known = make(name);
            weights.put(name, known);
        }
        return known;
    }

    /** The attention of the name's layer, where it has any of this kind. */
    private static GroupedAttentionConfig grouped(Architecture a, String name) {
        int layer = name.startsWith("model.layers.") ? Integer.parseInt(name.split("\\.")[2]) : -1;
        if (a instanceof Gemma4 gemma && gemma.slidingLayers().contains(layer)) {
            return gemma.sliding();
        }
        if (a instanceof MimoV2Flash mimo && mimo.slidingLayers().contains(layer)) {
            return mimo.sliding();
        }
        return a.attention() instanceof GroupedAttentionConfig config ? config : null;
    }

    private Weight make(String name) {
        Architecture a = model.architecture();
        if (a.attention() instanceof LatentAttentionConfig latent) {
            Weight made = latent(name, latent);
            if (made != null) {
                return made;
            }
        }
        if (name.contains(".linear_attn.")) {
            return linear(name, GatedDeltaConfig.read(new ConfigReader(model.config()), a.backbone()));
        }
        RoutedExperts moe = a.experts();
        ObjectNode config = model.config();
        int d = a.hidden();
        GroupedAttentionConfig attention = grouped(a, name);
        int q = attention == null ? 0 : attention.heads() * attention.headWidth();
        int kv = attention == null ? 0 : attention.kvHeads() * attention.headWidth();
        int values = attention == null ? 0 : attention.valueWidth();
        int width = name.contains("experts.*")
                ? moe.intermediate()
                : name.contains("shared_experts.")
                        ? moe.intermediate()
                        : name.contains("shared_expert.")
                                ? config.path("shared_expert_intermediate_size").asInt()
                                : config.path("intermediate_size").asInt();
        int count = name.contains("experts.*") ? moe.count() : 1;
        String[] path = name.split("\\.");
        String module = path[path.length - 2];
        boolean bias = path[path.length - 1].equals("bias");
        int rows = switch (module) {
            case "q_proj" -> config.has("linear_num_key_heads") ? 2 * q : q;
            case "k_proj" -> kv;
            case "v_proj" -> attention.kvHeads() * values;
            case "gate_proj", "up_proj" -> width;
            case "router", "gate", "proj" -> moe.count();
            case "shared_expert_gate" -> 1;
            case "embed_tokens", "lm_head" -> a.vocabulary();
            default -> d;
        };
        if (name.endsWith("router.scale")) {
            return floats(name, 1, 1, d, 1, 0.1f);
        }
        if (name.endsWith("per_expert_scale")) {
            return floats(name, 1, 1, moe.count(), 1, 0.1f);
        }
        if (name.endsWith("layer_scalar")) {
            return floats(name, 1, 1, 1, 0.5f, 0.1f);
        }
        if (name.endsWith("sinks") || name.endsWith("attention_sink_bias")) {
            return floats(name, 1, 1, attention.heads(), 0, 1);
        }
        if (name.endsWith("e_score_correction_bias")) {
            return floats(name, 1, 1, moe.count(), 0, 0.1f);
        }
        if (model == SeededModel.FP8_NORMED && module.endsWith("_norm")) {
            return floats(name, 1, 1, module.equals("q_norm") ? q : kv, 1, 0.1f);
        }
        if (module.equals("q_norm") || module.equals("k_norm")) {
            return floats(name, 1, 1, attention.headWidth(), 1, 0.1f);
        }
        if (module.matches(".*norm(_\\d)?")) {
            return floats(name, 1, 1, d, 1, 0.1f);
        }
        if (bias) {
            return floats(name, count, 1, rows, 0, 0.1f);
        }
        int columns = module.equals("o_proj") ? attention.heads() * values : module.equals("down_proj") ? width : d;
        return matrices(name, count, rows, columns);
    }

    /** Of Gated DeltaNet. */
    private Weight linear(String name, GatedDeltaConfig linear) {
        int d = model.config().path("hidden_size").asInt();
        int keys = linear.keyHeads() * linear.keyWidth();
        int values = linear.valueHeads() * linear.valueWidth();
        String[] path = name.split("\\.");
        return switch (path[path.length - 2]) {
            case "in_proj_qkvz" -> matrices(name, 1, 2 * keys + 2 * values, d);
            case "in_proj_qkv" -> matrices(name, 1, 2 * keys + values, d);
            case "in_proj_z" -> matrices(name, 1, values, d);
            case "in_proj_ba" -> matrices(name, 1, 2 * linear.valueHeads(), d);
            case "in_proj_a", "in_proj_b" -> matrices(name, 1, linear.valueHeads(), d);
            case "out_proj" -> matrices(name, 1, d, values);
            case "conv1d" -> floats(name, 2 * keys + values, 1, linear.kernel(), 0, 0.5f);
            case "norm" -> floats(name, 1, 1, linear.valueWidth(), 1, 0.1f);
            default -> floats(name, 1, 1, linear.valueHeads(), 0, 1); // A_log and dt_bias
        };
    }

    /** Of latent attention and its indexer; null for others. */
    private Weight latent(String name, LatentAttentionConfig attention) {
        ObjectNode config = model.config();
        int d = config.path("hidden_size").asInt();
        int indexHeads = config.path("index_n_heads").asInt();
        int index = config.path("index_head_dim").asInt();
        int head = attention.nope() + attention.rope();
        String[] path = name.split("\\.");
        return switch (path[path.length - 2] + "." + path[path.length - 1]) {
            case "q_a_proj.weight" -> matrices(name, 1, attention.queryRank(), d);
            case "q_b_proj.weight" -> matrices(name, 1, attention.heads() * head, attention.queryRank());
            case "kv_a_proj_with_mqa.weight" -> matrices(name, 1, attention.kvRank() + attention.rope(), d);
            case "kv_b_proj.weight" ->
                matrices(name, 1, attention.heads() * (attention.nope() + attention.value()), attention.kvRank());
            case "o_proj.weight" -> matrices(name, 1, d, attention.heads() * attention.value());
            case "wq_b.weight" -> matrices(name, 1, indexHeads * index, attention.queryRank());
            case "wk.weight" -> matrices(name, 1, index, d);
            case "weights_proj.weight" -> matrices(name, 1, indexHeads, d);
            case "q_a_layernorm.weight" -> floats(name, 1, 1, attention.queryRank(), 1, 0.1f);
            case "kv_a_layernorm.weight" -> floats(name, 1, 1, attention.kvRank(), 1, 0.1f);
            case "k_norm.weight" -> floats(name, 1, 1, index, 1, 0.1f);
            case "k_norm.bias" -> floats(name, 1, 1, index, 0, 0.1f);
            case "gate.e_score_correction_bias" ->
                floats(name, 1, 1, config.path("n_routed_experts").asInt(), 0, 0.03f);
            default -> null;
        };
    }

    /** Values of about columns^-1/2, so that products stay of ordinary size. */
    private Weight matrices(String name, int count, int rows, int columns) {
        Random random = new Random(name.hashCode());
        float size = (float) (1 / Math.sqrt(columns));
        WeightFormat format = model.format;
        if (model == SeededModel.TRANSPOSED && name.contains("experts.*")) {
            if (name.contains("down_proj")) {
                Weight stored = floats(name, count, columns, rows, 0, size);
                return new Weight(rows, columns, stored.format(), true, 0, 1, stored.pieces());
            }
            String both = name.replaceFirst("(gate|up)_proj", "gate_up_proj");
            Weight stored = weights.computeIfAbsent(both, n -> floats(n, count, columns, 2 * rows, 0, size));
            return new Weight(
                    rows, columns, stored.format(), true, name.contains("up_proj") ? 1 : 0, 2, stored.pieces());
        }
        boolean router = name.contains("router") || name.contains("gate.weight");
        if (router || !(format instanceof Scaled) && columns % format.granularity() != 0) {
            return floats(name, count, rows, columns, 0, size);
        }
        if (format instanceof Affine affine) {
            byte[] values = new byte[(int) (count * rows * format.rowBytes(columns))];
            random.nextBytes(values);
            int groups = count * rows * columns / affine.group();
            return stack(
                    rows,
                    columns,
                    count,
                    new Piece(
                            append(values, format.rowBytes(columns)),
                            append(bf16(groups, random, size / 4, 0.01f * size), format.scaleRowBytes(columns)),
                            append(
                                    bf16(groups, random, -7.5f * size / 4, 0.01f * size),
                                    format.biasRowBytes(columns))));
        }
        if (format == Block.Q4_K) {
            return stack(
                    rows,
                    columns,
                    count,
                    Piece.of(append(q4k(count * rows * columns / 256, random, size), format.rowBytes(columns))));
        }
        if (format instanceof Scaled scaled && scaled.group() == 32) {
            byte[] values = new byte[(int) (count * rows * format.rowBytes(columns))];
            random.nextBytes(values);
            int groups = count * rows * scaled.groups(columns);
            byte[] scales = scaled.scales() == Element.BF16
                    ? bf16(groups, random, size / 4, 0.01f * size)
                    : powers(groups, random, size);
            return stack(
                    rows,
                    columns,
                    count,
                    new Piece(
                            append(values, format.rowBytes(columns)),
                            append(scales, format.scaleRowBytes(columns)),
                            null));
        }
        if (format instanceof Scaled) {
            return blocks(count, rows, columns, random, size);
        }
        return floats(name, count, rows, columns, 0, size);
    }

    private static byte[] powers(int count, Random random, float size) {
        byte[] scales = new byte[count];
        for (int i = 0; i < count; i++) {
            scales[i] = (byte) (127 + Math.getExponent(size) - random.nextInt(3)); // of E2M1 the usual value is 2
        }
        return scales;
    }

    /** E4M3 with a scale in float32 for each 128 x 128, matrices apart as published. */
    private Weight blocks(int count, int rows, int columns, Random random, float size) {
        List<Piece> pieces = new ArrayList<>();
        for (int matrix = 0; matrix < count; matrix++) {
            byte[] values = new byte[rows * columns];
            random.nextBytes(values);
            for (int i = 0; i < values.length; i++) {
                values[i] &= (byte) 0xbf; // below 2
            }
            ByteBuffer scales = ByteBuffer.allocate((rows + 127) / 128 * ((columns + 127) / 128) * Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN);
            while (scales.hasRemaining()) {
                scales.putFloat(size * (1 + random.nextFloat()));
            }
            long rowBytes = (columns + 127) / 128 * (long) Float.BYTES;
            Region scaleRows = append(scales.array(), rowBytes);
            pieces.add(
                    new Piece(append(values, columns), new Region(file, scaleRows.offset(), rowBytes, 128, 0), null));
        }
        return Weight.matrices(rows, columns, model.format, pieces);
    }

    /** 256 values a block: two numbers in half precision, 8 scales and 8 minima of 6 bits, 4 bits a value. */
    private static byte[] q4k(int blocks, Random random, float size) {
        byte[] bytes = new byte[blocks * 144];
        random.nextBytes(bytes);
        ByteBuffer into = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < blocks; block++) {
            // about 32 * 7.5 times the scale is what the minimum takes off
            into.putShort(144 * block, half(size / 128));
            into.putShort(144 * block + 2, half(7.5f * size / 128));
        }
        return bytes;
    }

    /** Half precision, cut off; for values that are normal in it. */
    private static short half(float value) {
        int mantissa = Float.floatToRawIntBits(value) >>> 13 & 0x3ff;
        return (short) (Math.getExponent(value) + 15 << 10 | mantissa);
    }

    private static byte[] bf16(int count, Random random, float mean, float spread) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            float value = mean + spread * (float) random.nextGaussian();
            bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        }
        return bytes.array();
    }

    private Weight stack(int rows, int columns, int count, Piece first) {
        return new Weight(rows, columns, model.format, false, 0, 1, new Pieces.Stack(first, rows, count));
    }

    private Weight floats(String name, int count, int rows, int columns, float mean, float spread) {
        byte[] bytes = bf16(count * rows * columns, new Random(name.hashCode()), mean, spread);
        Piece first = Piece.of(append(bytes, 2L * columns));
        return new Weight(rows, columns, new Plain(Element.BF16), false, 0, 1, new Pieces.Stack(first, rows, count));
    }

    private Region append(byte[] bytes, long rowBytes) {
        try {
            long offset = Files.size(file);
            Files.write(file, bytes, StandardOpenOption.APPEND);
            return new Region(file, offset, rowBytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Path path() {
        return file;
    }

    @Override
    public Layout layout() {
        return Layout.SAFETENSORS;
    }

    @Override
    public ObjectNode config() {
        return model.config();
    }

    @Override
    public Set<String> names() {
        return weights.keySet();
    }

    @Override
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return published;
    }

    @Override
    public List<StoredTensor> tensors() {
        throw new UnsupportedOperationException();
    }
}
