package org.espalier.node.ring;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Simulated time: what is to happen, in the order of its time; the seed decides the rest. */
final class World {

    private record Event(long at, long number, Runnable what) {}

    final Random random;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
    private long now;
    private long number;

    World(long seed) {
        random = new Random(seed * 0x9E3779B97F4A7C15L); // neighbouring seeds of Random begin alike
    }

    long now() {
        return now;
    }

    void at(long time, Runnable what) {
        events.add(new Event(Math.max(now, time), number++, what));
    }

    void after(long nanos, Runnable what) {
        at(now + nanos, what);
    }

    /** Lets events happen until the time has come; the events after it stay. */
    void runUntil(long time) {
        while (!events.isEmpty() && events.peek().at <= time) {
            Event next = events.remove();
            now = next.at;
            next.what.run();
        }
        now = Math.max(now, time);
    }

    /** A time between two, in nanoseconds. */
    long millis(double least, double most) {
        return (long) ((least + random.nextDouble() * (most - least)) * 1e6);
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    static long seconds(double seconds) {
        return (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    }
}
