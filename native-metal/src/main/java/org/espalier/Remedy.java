package org.espalier;

/**
 * What a user can do about a failure, as a value: whoever fails knows what helps, each front end says it in its own terms (the notebook
 * as magics, the command line as its options).
 */
public enum Remedy {
    CONNECT("connect to nodes, or start some"),
    LIST_NODES("look at the nodes and what they hold"),
    LOAD("load a model first"),
    LOAD_AGAIN("look at the nodes that are left, and load the model again"),
    AWAIT_REJOIN(
            "try again in some seconds: while its nodes stand the ring joins again by itself; otherwise load the model again"),
    SPLIT_OVER_MORE_NODES("split the model over more nodes, or close other programs"),
    USE_FEWER_NODES("connect more nodes, or ask for fewer"),
    USE_OR_FORCE("use it as it is, load the model under another name, or replace it by force"),
    PLAN_PLACEMENT("let a plan write the right one"),
    FETCH("fetch the model from the hub");

    private final String words;

    Remedy(String words) {
        this.words = words;
    }

    /** In plain words, for whoever calls the Java API. */
    public String words() {
        return words;
    }
}
