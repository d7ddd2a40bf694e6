package org.espalier.hub;

import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/**
 * How often a request is tried again, and how long is waited between.
 *
 * @param attempts in a row that bring nothing new
 * @param first wait; each further one is twice as long
 * @param greatest wait, also where the server asks for more
 */
record RetryPolicy(int attempts, Duration first, Duration greatest, Sleeper sleeper) {

    static final RetryPolicy PATIENT =
            new RetryPolicy(6, Duration.ofSeconds(1), Duration.ofSeconds(120), wait -> Thread.sleep(wait.toMillis()));

    /** Waits; tests do not. */
    interface Sleeper {
        void sleep(Duration wait) throws InterruptedException;
    }

    /**
     * Waits before try number {@code next}.
     *
     * @param asked the server's {@code Retry-After}
     */
    void waitFor(int next, Optional<String> asked) throws InterruptedException {
        Duration own = first.multipliedBy(1L << Math.min(next - 1, 20));
        Duration wait = asked.flatMap(RetryPolicy::seconds).orElse(own);
        sleeper.sleep(wait.compareTo(greatest) > 0 ? greatest : wait);
    }

    /** Seconds, or a date (RFC 9110 section 10.2.3). */
    private static Optional<Duration> seconds(String text) {
        try {
            return Optional.of(Duration.ofSeconds(Math.max(0, Long.parseLong(text.strip()))));
        } catch (NumberFormatException e) {
            try {
                ZonedDateTime date = ZonedDateTime.parse(text.strip(), DateTimeFormatter.RFC_1123_DATE_TIME);
                Duration until = Duration.between(ZonedDateTime.now(), date);
                return Optional.of(until.isNegative() ? Duration.ZERO : until);
            } catch (DateTimeParseException neither) {
                return Optional.empty();
            }
        }
    }
}
