package org.espalier.engine;

/** What {@link LoadedProgram} knows of a session; its rows are the engine's. */
final class OpenSession {

    private final SessionLength length;
    private boolean hasLogits;

    OpenSession(SessionLength length) {
        this.length = length;
    }

    SessionLength length() {
        return length;
    }

    /** Whether its last row has logits, from which the next token can be chosen. */
    boolean hasLogits() {
        return hasLogits;
    }

    void stepped(int newLength, boolean lastRowHasLogits) {
        length.grow(newLength);
        hasLogits = lastRowHasLogits;
    }

    void cut(int newLength) {
        hasLogits = hasLogits && newLength == length.get();
        length.cut(newLength);
    }
}
