package org.espalier.placement;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.plan.ModelSize;

/** A way to make a placement. A new strategy is a class here and an entry in {@link #BY_NAME}. */
public interface Strategy {

    /** The strategies that {@code --placement NAME} takes. */
    Map<String, Strategy> BY_NAME = new TreeMap<>(Map.of("pipeline", new PipelineStrategy()));

    /**
     * Places the model over all nodes, in their order.
     *
     * @throws PlacementException if they cannot hold it
     */
    Placement place(ModelSize model, List<NodeMemory> nodes);

    /** @throws PlacementException listing all strategies if there is none of that name */
    static Strategy named(String name) {
        Strategy strategy = BY_NAME.get(name);
        if (strategy == null) {
            throw new PlacementException("there is no placement strategy '" + name + "': choose one of "
                    + String.join(", ", BY_NAME.keySet()) + ", or give a .json file that a placement was written to");
        }
        return strategy;
    }
}
