package org.espalier.engine.library;

import org.espalier.engine.Step;
import org.espalier.engine.Step.Input;
import org.espalier.engine.Step.Want;

/** A step as words, STEP in {@code espalier.h}; its activations lie apart. */
final class StepWords {

    /** In the order of {@code enum es_input}. */
    enum InputKind {
        TOKENS,
        ACTIVATIONS,
        GREEDY
    }

    private StepWords() {}

    static Words of(Step step) {
        int wants = step.wants().stream().mapToInt(StepWords::bit).sum();
        return new Words().add(wants).addList(step.entries(), StepWords::addEntry);
    }

    static int bit(Want want) {
        return 1 << want.ordinal();
    }

    private static void addEntry(Words words, Step.Entry entry) {
        words.addLong(entry.session())
                .add(entry.position())
                .add(entry.rows())
                .add(kind(entry.input()).ordinal())
                .add(entry.logits().ordinal());
        if (entry.input() instanceof Input.Tokens tokens) {
            words.addAll(tokens.ids());
        }
    }

    private static InputKind kind(Input input) {
        if (input instanceof Input.Tokens) {
            return InputKind.TOKENS;
        }
        return input instanceof Input.Greedy ? InputKind.GREEDY : InputKind.ACTIVATIONS;
    }
}
