package org.espalier.node.cli;

import org.espalier.EspalierException;
import org.espalier.Remedy;

/** Remedies as options and commands of {@code espalier-node}, whose nodes live as long as the command. */
final class RemedyOptions {

    private RemedyOptions() {}

    /** What failed, and which option helps. */
    static String sentence(EspalierException error) {
        return error.remedy().map(remedy -> error.what() + "; " + words(remedy)).orElse(error.getMessage());
    }

    private static String words(Remedy remedy) {
        return switch (remedy) {
            case CONNECT -> "start nodes with `--nodes N`";
            case LIST_NODES, LOAD_AGAIN, AWAIT_REJOIN -> "run the command again";
            case LOAD -> "name one with `--model`";
            case SPLIT_OVER_MORE_NODES -> "close other programs, or choose a smaller model";
            case USE_FEWER_NODES -> "ask for more with `--nodes N`";
            case USE_OR_FORCE -> "wait until it is free";
            case PLAN_PLACEMENT -> "let a strategy place the model: `--placement pipeline`";
            case FETCH -> "`espalier-node pull ORG/NAME` fetches it from the hub";
        };
    }
}
