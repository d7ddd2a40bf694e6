package org.espalier.template;

import java.util.List;

/** What one rendering may use up. Templates come with downloaded models, so they may be wrong or hostile. */
final class Budget {

    /** A conversation of 1,000 messages takes about 100,000 steps; this many take a second or two. */
    private static final long MAX_STEPS = 10_000_000;

    /** Of one string (32 MB); a context of a million tokens is about 4 million characters. */
    private static final int MAX_CHARS = 16 << 20;

    private static final int MAX_ELEMENTS = 1_000_000;

    /** Calls, blocks and operands in one another; keeps recursion within a thread's smallest usual stack. */
    private static final int MAX_DEPTH = 300;

    /** Copying is cheaper than evaluating: so many characters count as one step. */
    private static final int CHARS_PER_STEP = 16;

    /** Comparing is cheaper still, and most searches stop at the first character. */
    private static final int COMPARISONS_PER_STEP = 1024;

    private long steps;
    private int depth;

    void step() {
        steps(1);
    }

    void steps(long count) {
        steps += count;
        if (steps > MAX_STEPS) {
            throw new TemplateException("it does more than " + MAX_STEPS + " steps: look for a loop over too much");
        }
    }

    /** To be asked before a string of this length is made. */
    void chars(long length) {
        grow(0, length);
    }

    /** To be asked before a string of this length gets more characters. */
    void grow(long length, long more) {
        if (length + more > MAX_CHARS) {
            throw new TemplateException(
                    "it builds a text of " + (length + more) + " characters, the limit is " + MAX_CHARS);
        }
        steps(1 + more / CHARS_PER_STEP);
    }

    /** To be asked before a list of this length is made. */
    void elements(long count) {
        if (count > MAX_ELEMENTS) {
            throw new TemplateException("it builds a list of " + count + " elements, the limit is " + MAX_ELEMENTS);
        }
        steps(1 + count);
    }

    /** To be asked before an element is added to a list of this length whose end is not known. */
    void room(int length) {
        if (length >= MAX_ELEMENTS) {
            elements(length + 1L);
        }
    }

    /** To be asked before one string is searched for another: at worst each character of one is compared with each of the other. */
    void search(String text, String part) {
        steps(1 + text.length() / CHARS_PER_STEP + (long) text.length() * part.length() / COMPARISONS_PER_STEP);
    }

    String made(String text) {
        chars(text.length());
        return text;
    }

    List<Object> made(List<Object> list) {
        elements(list.size());
        return list;
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new TemplateException(
                    "it is nested more than " + MAX_DEPTH + " deep: look for a macro that calls itself");
        }
        step();
    }

    void leave() {
        depth--;
    }
}
