package org.espalier.checkpoint;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of a multimodal checkpoint's text part as they would be in a checkpoint of text alone. Transformers publishes {@code
 * model.language_model.layers.0...} beside {@code lm_head.weight}, older checkpoints and mlx-lm {@code language_model.model.layers.0...} and
 * {@code language_model.lm_head.weight}. Tensors of other parts keep their names, which no program asks for.
 */
final class TextNames {
    private static final Pattern MODEL = Pattern.compile("(?:model\\.language_model|language_model\\.model)\\.(.+)");
    private static final Pattern HEAD = Pattern.compile("language_model\\.(lm_head\\..+)");

    private TextNames() {}

    static String published(String tensor) {
        Matcher model = MODEL.matcher(tensor);
        if (model.matches()) {
            return "model." + model.group(1);
        }
        Matcher head = HEAD.matcher(tensor);
        return head.matches() ? head.group(1) : tensor;
    }
}
