package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.program.Rope;
import org.espalier.weights.Weight;

/**
 * An MLX checkpoint: safetensors with packed weights. {@code X.weight} of type U32 holds the values, lowest bits first, {@code
 * X.scales} and {@code X.biases} one number for each group of columns; they belong to {@code X.weight} and are not listed. Experts are
 * stacked in {@code switch_mlp}, gpt-oss's in {@code experts}, Gemma's in {@code experts.switch_glu}.
 */
final class MlxCheckpoint implements Checkpoint {
    private static final String WEIGHT = ".weight";
    private static final Pattern STACK =
            Pattern.compile("(.+)\\.(?:switch_mlp|experts\\.switch_glu|experts)\\.(\\w+\\.\\w+)");

    private final ObjectNode config;
    private final SafetensorsDirectory directory;
    private final MlxQuantization quantization;
    private final NamedWeights weights;

    MlxCheckpoint(ObjectNode config, SafetensorsDirectory directory, MlxQuantization quantization) {
        this.config = config;
        this.directory = directory;
        this.quantization = quantization;
        this.weights = new NamedWeights(directory.path(), "");
        directory.entries().forEach((name, entry) -> {
            String text = TextNames.published(name);
            Matcher stack = STACK.matcher(text);
            if (isPartOfWeight(name)) {
                return;
            }
            if (stack.matches()) {
                String published = stack.group(1) + ".experts." + NamedWeights.EVERY + "." + stack.group(2);
                weights.putStack(published, name, entry.shape(), () -> stored(name));
            } else {
                weights.put(text, name, () -> stored(name));
            }
        });
    }

    private boolean isPartOfWeight(String name) {
        for (String part : List.of(".scales", ".biases")) {
            if (name.endsWith(part)) {
                String module = name.substring(0, name.length() - part.length());
                return directory.entries().containsKey(module + WEIGHT);
            }
        }
        return false;
    }

    private Weight stored(String name) {
        boolean weight = name.endsWith(WEIGHT);
        String module = weight ? name.substring(0, name.length() - WEIGHT.length()) : name;
        if (weight && directory.entries().containsKey(module + ".scales")) {
            return quantized(name, module);
        }
        return directory.plain(name);
    }

    private Weight quantized(String name, String module) {
        MlxQuantization.Settings settings = quantization
                .of(module)
                .orElseThrow(() -> new CheckpointException(
                        path() + ": tensor " + name + " has scales but config.json says that it is not quantized"));
        return new MlxQuantizedTensor(directory, module, settings).read();
    }

    @Override
    public Path path() {
        return directory.path();
    }

    @Override
    public Layout layout() {
        return Layout.MLX;
    }

    @Override
    public ObjectNode config() {
        return config.deepCopy();
    }

    @Override
    public Set<String> names() {
        return weights.names();
    }

    @Override
    public Weight weight(String name) {
        return weights.get(name);
    }

    @Override
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return published;
    }

    @Override
    public List<StoredTensor> tensors() {
        return directory.tensors();
    }
}
