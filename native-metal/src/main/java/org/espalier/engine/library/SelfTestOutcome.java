package org.espalier.engine.library;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the process of a {@link SelfTest} that passed says in its last lines.
 *
 * @param device what the library runs on
 * @param choices how it computed experts, a sentence each: only what was taken has been compared with the stored numbers
 */
public record SelfTestOutcome(String device, List<String> choices) {

    static final String PASSED = "espalier self-test passed: ";
    private static final String CHOSE = "espalier self-test chose: ";

    public SelfTestOutcome {
        choices = List.copyOf(choices);
    }

    String lines() {
        StringBuilder text = new StringBuilder(PASSED).append(device);
        choices.forEach(choice -> text.append('\n').append(CHOSE).append(choice));
        return text.toString();
    }

    /** Empty where the process did not say that the library passed. */
    public static Optional<SelfTestOutcome> in(String output) {
        String device = null;
        List<String> choices = new ArrayList<>();
        for (String line : output.lines().toList()) {
            if (line.startsWith(PASSED)) {
                device = line.substring(PASSED.length()).strip();
            } else if (line.startsWith(CHOSE)) {
                choices.add(line.substring(CHOSE.length()).strip());
            }
        }
        return Optional.ofNullable(device).map(on -> new SelfTestOutcome(on, choices));
    }
}
