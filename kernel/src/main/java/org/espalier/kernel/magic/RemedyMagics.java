package org.espalier.kernel.magic;

import org.espalier.EspalierException;
import org.espalier.Remedy;

/** Remedies as a notebook's magics. */
public final class RemedyMagics {

    private RemedyMagics() {}

    /** What failed, and which magic helps. */
    public static String sentence(EspalierException error) {
        return error.remedy().map(remedy -> error.what() + "; " + words(remedy)).orElse(error.getMessage());
    }

    private static String words(Remedy remedy) {
        return switch (remedy) {
            case CONNECT -> "run `%cluster connect HOST:PORT ...` or `%cluster local --nodes 2`";
            case LIST_NODES -> "run `%cluster` to see the nodes and what they hold";
            case LOAD -> "run `%model load PATH-OR-NAME` first";
            case LOAD_AGAIN -> "run `%model load` to place the model again, `%cluster` to see the nodes that are left";
            case AWAIT_REJOIN ->
                "run it again in some seconds: while its nodes stand the ring joins again by itself; otherwise `%model load`"
                        + " places the model again, and `%cluster` shows the nodes that are left";
            case SPLIT_OVER_MORE_NODES ->
                "use more nodes (`%cluster connect HOST:PORT ...`, then `%model load --nodes N`), free another model with"
                        + " `%model unload`, or close other programs";
            case USE_FEWER_NODES ->
                "connect more with `%cluster connect HOST:PORT ...`, or ask for fewer with `--nodes`";
            case USE_OR_FORCE ->
                "use it as it is with `%model use NAME`, load under another name with `%model load --name OTHER`, or add `--force`";
            case PLAN_PLACEMENT -> "write the right one with `%model split --plan --out FILE.json`";
            case FETCH -> "`%model load ORG/NAME` fetches it from the hub";
        };
    }
}
