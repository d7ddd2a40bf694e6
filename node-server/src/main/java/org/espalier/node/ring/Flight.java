package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.List;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;

/** A step that the head has formed and whose outcome has not come back. */
final class Flight {

    private final List<HeadSession> sessions = new ArrayList<>();
    private final List<StepEntry> entries = new ArrayList<>();

    List<HeadSession> sessions() {
        return sessions;
    }

    List<StepEntry> entries() {
        return entries;
    }

    /** How many rows it has. */
    int rows() {
        return entries.stream().mapToInt(StepEntry::getTokensCount).sum();
    }

    /** Adds the session's next rows, at most {@code room}; returns how many. */
    int add(HeadSession session, int room) {
        StepEntry entry = session.entry(session.nextRows(room));
        sessions.add(session);
        entries.add(entry);
        return entry.getTokensCount();
    }

    StepFrame frame(long step) {
        return StepFrame.newBuilder()
                .setStep(step)
                .addAllEntries(entries)
                .setRouting(sessions.stream().anyMatch(session -> session.request.getRouting()))
                .build();
    }
}
