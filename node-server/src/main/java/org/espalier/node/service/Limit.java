package org.espalier.node.service;

/** How much of something a node takes, so that no client can use it up for the others. */
public enum Limit {
    CONNECTIONS("connections", 256, "connections at once; further ones are told so and end"),
    IDLE_SECONDS("idle-seconds", 600, "seconds that a connection without a call stands"),
    HANDSHAKE_SECONDS("handshake-seconds", 10, "seconds that a connection has to say what it is"),
    CALLS("calls", 2048, "calls at once a connection"),
    REQUESTS("requests", 1024, "requests that are being begun at once"),
    CONNECTION_REQUESTS("connection-requests", 256, "of these that came over one connection"),
    REQUEST_BYTES("request-bytes", 4 << 20, "bytes of a request, and of a node's first frame"),
    ALL_REQUEST_BYTES(
            "all-request-bytes",
            (int) Math.max(
                    16 << 20, Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() >> 2)),
            "bytes of the heap for unanswered requests of all clients; usually a quarter of it"),
    PROMPT_TOKENS("prompt-tokens", 1 << 20, "tokens of a prompt, where the model takes as many"),
    STOP_TOKENS("stop-tokens", 1024, "tokens that end a generation"),
    STOP_STRINGS("stop-strings", 64, "texts that end a generation"),
    STOP_CHARACTERS("stop-characters", 8192, "characters of these texts together"),
    DEPLOYMENTS("deployments", 64, "deployments on this node"),
    LOAD_SECONDS("load-seconds", 120, "seconds that a load waits for its files without a byte"),
    GENERATIONS("generations", 256, "generations of a deployment that run at once, 512 at most"),
    WAITING("waiting-generations", 768, "generations of a deployment that wait for one of these to end"),
    UNREAD_BYTES("unread-bytes", 1 << 20, "bytes that a client may leave unread before its generation pauses"),
    UNREAD_SECONDS("unread-seconds", 60, "seconds that a paused generation waits for its client"),
    KV_MEGABYTES(
            "kv-megabytes",
            (int) (Machine.totalBytes() >> 21),
            "megabytes of KV caches of all deployments, each of which is promised half of what is left; usually half of the memory");

    private final String title;
    private final int usual;
    private final String words;

    Limit(String title, int usual, String words) {
        this.title = title;
        this.usual = usual;
        this.words = words;
    }

    /** Where no other is set. */
    public int usual() {
        return usual;
    }

    /** What it counts. */
    public String words() {
        return words;
    }

    /** As options and messages name it. */
    @Override
    public String toString() {
        return title;
    }
}
