package org.espalier.node.bench;

import java.util.Random;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;

/**
 * How fast an engine runs a program, by the conventions of llama-bench: random tokens, an empty context at the beginning of each repetition, one
 * repetition before those that count, a prompt in chunks, then tokens one by one. Without sampling and without a ring.
 */
public final class Bench {

    private static final long SESSION = 1;

    private final LoadedProgram program;
    private final int chunk;
    private final Random random = new Random(1);

    /** @param chunk rows of a prompt's steps */
    public Bench(LoadedProgram program, int chunk) {
        this.program = program;
        this.chunk = chunk;
    }

    /** Reads a prompt of one token, as the first that a process does: nothing before it. */
    public void once() {
        program.open(SESSION, 1, RouterEdits.NONE);
        step(0, 1, Step.Logits.LAST);
        program.close(SESSION);
    }

    /** Reads prompts of {@code tokens} tokens. */
    public Rates prompt(int tokens, int repetitions) {
        return rates(tokens, repetitions, () -> {
            for (int at = 0; at < tokens; at += chunk) {
                int rows = Math.min(chunk, tokens - at);
                step(at, rows, at + rows == tokens ? Step.Logits.LAST : Step.Logits.NONE);
            }
        });
    }

    /** Generates {@code tokens} tokens, from nothing. */
    public Rates generate(int tokens, int repetitions) {
        return rates(tokens, repetitions, () -> {
            for (int at = 0; at < tokens; at++) {
                step(at, 1, Step.Logits.LAST);
            }
        });
    }

    private Rates rates(int tokens, int repetitions, Runnable work) {
        double[] rates = new double[repetitions];
        for (int i = -1; i < repetitions; i++) {
            program.open(SESSION, tokens, RouterEdits.NONE);
            long start = System.nanoTime();
            work.run();
            double seconds = (System.nanoTime() - start) * 1e-9;
            program.close(SESSION);
            if (i >= 0) {
                rates[i] = tokens / seconds;
            }
        }
        return Rates.of(rates);
    }

    private void step(int position, int rows, Step.Logits logits) {
        int[] tokens = random.ints(rows, 0, program.program().vocabulary()).toArray();
        program.run(Step.of(Step.Entry.ofTokens(SESSION, position, tokens, logits)), Exchange.ALONE, new Cancel());
    }
}
