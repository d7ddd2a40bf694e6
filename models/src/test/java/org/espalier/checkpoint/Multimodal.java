package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** Makes a checkpoint of text the text part of a multimodal one: config and names one level deeper, a vision tower between the layers. */
public final class Multimodal {

    /** Of one tensor of the vision tower; there are two of them. */
    public static final int VISION_BYTES = 3000;

    private static final ObjectMapper JSON = new ObjectMapper();

    private Multimodal() {}

    /** @param names what a tensor is called in the multimodal checkpoint */
    public static Path of(Path text, Path folder, String modelType, UnaryOperator<String> names) throws IOException {
        ObjectNode own = (ObjectNode) JSON.readTree(text.resolve("config.json").toFile());
        ObjectNode config = JSON.createObjectNode().put("model_type", modelType);
        config.set("tie_word_embeddings", own.path("tie_word_embeddings"));
        config.put("image_token_id", 7).putObject("vision_config").put("hidden_size", 3);
        config.set("text_config", own);
        JSON.writeValue(folder.resolve("config.json").toFile(), config);
        SafetensorsBuilder weights = new SafetensorsBuilder().format("pt");
        int layers = 0;
        for (Map.Entry<String, SafetensorsFile.Tensor> entry :
                new TreeMap<>(SafetensorsDirectory.read(text).entries()).entrySet()) {
            SafetensorsFile.Tensor tensor = entry.getValue();
            byte[] file = Files.readAllBytes(tensor.file());
            byte[] content = Arrays.copyOfRange(file, (int) tensor.begin(), (int) tensor.end());
            long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
            weights.tensor(names.apply(entry.getKey()), tensor.type(), content, shape);
            if (entry.getKey().endsWith("input_layernorm.weight") && layers++ < 2) {
                weights.tensor("vision_tower.blocks." + layers + ".w", "U8", new byte[VISION_BYTES], VISION_BYTES);
            }
        }
        weights.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** As mlx-lm and older checkpoints name them. */
    public static String older(String tensor) {
        return "language_model." + tensor;
    }

    /** As transformers names them. */
    public static String newer(String tensor) {
        return tensor.startsWith("model.") ? "model.language_model." + tensor.substring("model.".length()) : tensor;
    }
}
