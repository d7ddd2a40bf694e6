package org.espalier.kernel.display;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.espalier.routing.ExpertLoad;

/** Layer x expert heatmap of a trace: which share of its layer's choices each expert had. */
public final class ExpertHeatmap implements Chart {

    private final ExpertLoad load;
    private final String title;

    /** Titled with the model, the prompt and the positions. */
    public ExpertHeatmap(ExpertLoad load) {
        this(load, load.title());
    }

    /** @param title says what ran */
    public ExpertHeatmap(ExpertLoad load, String title) {
        this.load = load;
        this.title = title;
    }

    public Heatmap heatmap() {
        double[][] shares = load.layers().stream()
                .map(layer -> IntStream.range(0, load.experts())
                        .mapToDouble(expert -> load.share(layer, expert))
                        .toArray())
                .toArray(double[][]::new);
        return new Heatmap(
                title,
                new Heatmap.Axis("layer", names(load.layers())),
                new Heatmap.Axis(
                        "expert",
                        names(IntStream.range(0, load.experts()).boxed().toList())),
                new Heatmap.Measure("share of layer", Heatmap.Unit.SHARE),
                shares);
    }

    private static List<String> names(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).toList();
    }

    /** The busiest experts of each layer, one line a layer. */
    @Override
    public String text() {
        StringBuilder text = new StringBuilder(title).append('\n');
        for (int layer : load.layers()) {
            text.append(String.format(Locale.ROOT, "layer %3d ", layer));
            int[] best = busiest(layer);
            for (int expert : best) {
                text.append(String.format(Locale.ROOT, "  %d: %.0f%%", expert, 100 * load.share(layer, expert)));
            }
            text.append(String.format(Locale.ROOT, "  (%d never chosen)%n", load.idle(layer)));
        }
        return text.toString();
    }

    private int[] busiest(int layer) {
        return IntStream.range(0, load.experts())
                .boxed()
                .sorted((a, b) -> load.count(layer, b) - load.count(layer, a))
                .limit(5)
                .filter(expert -> load.count(layer, expert) > 0)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    @Override
    public Drawing drawing() {
        return heatmap().drawing();
    }

    @Override
    public String vegaLite() {
        return heatmap().vegaLite();
    }
}
