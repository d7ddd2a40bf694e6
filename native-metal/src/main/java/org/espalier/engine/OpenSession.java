package org.espalier.engine;

/** What {@link LoadedProgram} knows of a session; the engine has its rows. */
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

    void truncate(int newLength) {
        hasLogits = hasLogits && newLength == length.get();
        length.truncate(newLength);
    }
}
