package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An MLX checkpoint: safetensors with packed weights. {@code X.weight} of type U32 holds the values, lowest bits first, {@code
 * X.scales} and {@code X.biases} one number for each group of columns; they belong to {@code X.weight} and are not listed. Experts are
 * stacked in {@code switch_mlp}; the stack is answered too, by its own name.
 */
final class MlxCheckpoint implements Checkpoint {
    private static final String WEIGHT = ".weight";
    private static final String STACK = ".switch_mlp.";
    private static final Pattern EXPERT = Pattern.compile("(.+)\\.experts\\.(\\d{1,5})(\\.\\w+\\.\\w+)");

    /** Routing carries expert ids in 16 bits. */
    private static final long MAX_EXPERTS = Short.MAX_VALUE;

    /** DeepSeek V3 has 45 thousand. */
    private static final int MAX_NAMES = 1 << 20;

    private final ObjectNode config;
    private final SafetensorsDirectory directory;
    private final MlxQuantization quantization;
    private final Set<String> names;

    MlxCheckpoint(ObjectNode config, SafetensorsDirectory directory, MlxQuantization quantization) {
        this.config = config;
        this.directory = directory;
        this.quantization = quantization;
        this.names = Collections.unmodifiableSet(publishedNames());
    }

    private Set<String> publishedNames() {
        Set<String> result = new LinkedHashSet<>();
        for (String name : directory.entries().keySet()) {
            if (isPartOfWeight(name)) {
                continue;
            }
            int stack = name.indexOf(STACK);
            if (stack < 0) {
                result.add(name);
            } else {
                long experts = experts(name);
                String module = name.substring(0, stack);
                String end = MixtralNames.published(module, name.substring(stack + STACK.length() - 1));
                for (int e = 0; e < experts && result.size() <= MAX_NAMES; e++) {
                    result.add(module + ".experts." + e + end);
                }
            }
            if (result.size() > MAX_NAMES) {
                throw new CheckpointException(directory.path() + " has more than " + MAX_NAMES + " tensors");
            }
        }
        return result;
    }

    private long experts(String stack) {
        List<Long> shape = directory.entry(stack).shape();
        if (shape.size() < 2 || shape.get(0) > MAX_EXPERTS) {
            throw new CheckpointException(directory.path() + ": tensor " + stack + " has the shape " + shape
                    + ", expected 1 to " + MAX_EXPERTS + " stacked experts");
        }
        return shape.get(0);
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
        return names;
    }

    @Override
    public boolean has(String name) {
        return names.contains(name) || (directory.entries().containsKey(name) && !isPartOfWeight(name));
    }

    @Override
    public Tensor tensor(String name) {
        if (!has(name)) {
            throw new CheckpointException(directory.path() + " has no tensor " + name);
        }
        Matcher expert = EXPERT.matcher(name);
        if (directory.entries().containsKey(name) || !expert.matches()) {
            return stored(name);
        }
        String end = MixtralNames.stacked(expert.group(1), expert.group(3));
        Tensor stack = stored(expert.group(1) + ".switch_mlp" + end);
        return slice(stack, Integer.parseInt(expert.group(2))).named(name);
    }

    private static Tensor slice(Tensor stack, int index) {
        if (stack.shape().size() >= 3) {
            return stack.element(index);
        }
        Tensor row = stack.rows(index, 1); // one bias vector an expert
        return new Tensor(row.name(), List.of(row.columns()), row.format(), row.values(), row.scales(), row.biases());
    }

    private Tensor stored(String name) {
        boolean weight = name.endsWith(WEIGHT);
        String module = weight ? name.substring(0, name.length() - WEIGHT.length()) : name;
        if (weight && directory.entries().containsKey(module + ".scales")) {
            return quantized(name, module);
        }
        return directory.plain(name);
    }

    private Tensor quantized(String name, String module) {
        MlxQuantization.Settings settings = quantization
                .of(module)
                .orElseThrow(() -> new CheckpointException(
                        path() + ": tensor " + name + " has scales but config.json says that it is not quantized"));
        return new MlxQuantizedTensor(directory, module, settings).read();
    }

    @Override
    public RopePairing ropePairing(RopePairing published) {
        return published;
    }

    @Override
    public long bytes() {
        return directory.bytes();
    }
}
