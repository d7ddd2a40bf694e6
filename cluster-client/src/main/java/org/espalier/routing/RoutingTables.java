package org.espalier.routing;

import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.FloatColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.ShortColumn;
import tech.tablesaw.api.Table;

/** Routing as tablesaw tables, to filter and join in a notebook. */
public final class RoutingTables {

    private RoutingTables() {}

    /** One row a decision: position, layer (the checkpoint's), place, expert, weight. */
    public static Table decisions(RoutingTrace trace) {
        IntColumn position = IntColumn.create("position");
        IntColumn layer = IntColumn.create("layer");
        ShortColumn place = ShortColumn.create("place");
        ShortColumn expert = ShortColumn.create("expert");
        FloatColumn weight = FloatColumn.create("weight");
        for (int t = 0; t < trace.positions(); t++) {
            for (int l = 0; l < trace.layers().size(); l++) {
                for (int k = 0; k < trace.width(); k++) {
                    if (trace.expert(t, l, k) >= 0) {
                        position.append(t);
                        layer.append(trace.layers().get(l));
                        place.append((short) k);
                        expert.append((short) trace.expert(t, l, k));
                        weight.append(trace.weight(t, l, k));
                    }
                }
            }
        }
        return Table.create("routing", position, layer, place, expert, weight);
    }

    /** One row an expert of a layer: layer, expert, count, share, weight (mean gate weight where chosen). */
    public static Table load(ExpertLoad load) {
        IntColumn layer = IntColumn.create("layer");
        ShortColumn expert = ShortColumn.create("expert");
        IntColumn count = IntColumn.create("count");
        DoubleColumn share = DoubleColumn.create("share");
        DoubleColumn weight = DoubleColumn.create("weight");
        for (int l = 0; l < load.layers().size(); l++) {
            for (int e = 0; e < load.experts(); e++) {
                int chosen = load.counts()[l][e];
                layer.append(load.layers().get(l));
                expert.append((short) e);
                count.append(chosen);
                share.append(load.share(l, e));
                weight.append(chosen == 0 ? 0 : load.weights()[l][e] / chosen);
            }
        }
        return Table.create("expert load", layer, expert, count, share, weight);
    }

    /** One row a layer: experts used and idle, imbalance, entropy in bits. */
    public static Table balance(ExpertLoad load) {
        IntColumn layer = IntColumn.create("layer");
        IntColumn used = IntColumn.create("used");
        IntColumn idle = IntColumn.create("idle");
        DoubleColumn imbalance = DoubleColumn.create("imbalance");
        DoubleColumn entropy = DoubleColumn.create("entropy bits");
        for (int l = 0; l < load.layers().size(); l++) {
            layer.append(load.layers().get(l));
            used.append(load.experts() - load.idle(l));
            idle.append(load.idle(l));
            imbalance.append(load.imbalance(l));
            entropy.append(load.entropy(l));
        }
        return Table.create("balance", layer, used, idle, imbalance, entropy);
    }
}
