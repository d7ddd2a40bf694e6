package org.espalier.node.ring;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.Failure;
import org.espalier.v1.StageProgress;

/** The head's watch for what no node owns up to: a step or a question that is computed nowhere and does not come back. */
final class Watch {

    private Watch() {}

    /**
     * @param flights the steps in flight, the oldest first
     * @param late nanoseconds since one of them came back, or the first left
     * @param unanswered nanoseconds since the oldest question was asked; 0 if there is none
     * @param stages what each has last said of itself; fewer than the ring's where that is not known of all
     */
    static Optional<Failure> overdue(
            RingPlace place, Map<Long, Flight> flights, long late, long unanswered, List<StageProgress> stages) {
        if (stages.size() < place.shards().size()) {
            return Optional.empty();
        }
        long limit = TimeUnit.MILLISECONDS.toNanos(Math.max(1, flights.size()) * limitMillis(flights, stages));
        if (!flights.isEmpty() && late > limit) {
            long step = flights.keySet().iterator().next();
            return Optional.of(RingFailure.stuck(place, step, TimeUnit.NANOSECONDS.toSeconds(late), stages));
        }
        return unanswered > 2 * limit
                ? Optional.of(RingFailure.unanswered(place.previous(), unanswered))
                : Optional.empty();
    }

    /** How long the longest step in flight may take to go around. */
    private static long limitMillis(Map<Long, Flight> flights, List<StageProgress> stages) {
        int rows = flights.values().stream().mapToInt(Flight::rows).max().orElse(1);
        return stages.stream()
                .mapToLong(stage -> Math.max(stage.getLimitMillis(), stage.getRowLimitMicros() * rows / 1000))
                .sum();
    }
}
