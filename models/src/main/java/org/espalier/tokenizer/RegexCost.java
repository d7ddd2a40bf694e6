package org.espalier.tokenizer;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Whether a splitting pattern can be tried on any text at a bearable cost. Published patterns are alternatives of a few character
 * classes in a row; what makes a backtracking matcher try exponentially many ways is a repeated group in which something is optional,
 * repeated or a choice. Such groups, references, and many repetitions in a row are refused.
 */
final class RegexCost {

    private static final int MAX_LENGTH = 20_000;

    /** Published alternatives have two. */
    private static final int MAX_REPETITIONS = 3;

    /** What is in an open group. */
    private static final class Group {
        boolean varies;
        int repetitions;
    }

    private final String regex;
    private int position;

    private RegexCost(String regex) {
        this.regex = regex;
    }

    static boolean isBounded(String regex) {
        return regex.length() <= MAX_LENGTH && new RegexCost(regex).scan();
    }

    private boolean scan() {
        Deque<Group> open = new ArrayDeque<>();
        open.push(new Group());
        while (position < regex.length()) {
            char c = regex.charAt(position++);
            Group closed = null;
            switch (c) {
                case '\\' -> {
                    if (position < regex.length() && "123456789kg".indexOf(regex.charAt(position)) >= 0) {
                        return false;
                    }
                    skipEscape();
                }
                case '[' -> skipClass();
                case '(' -> {
                    open.push(new Group());
                    skipGroupKind();
                    continue;
                }
                case '|' -> {
                    open.peek().varies = true;
                    open.peek().repetitions = 0;
                    continue;
                }
                case ')' -> {
                    if (open.size() == 1) {
                        return false;
                    }
                    closed = open.pop();
                    open.peek().varies |= closed.varies;
                    open.peek().repetitions += closed.repetitions;
                }
                default -> {}
            }
            if (!quantifier(open.peek(), closed)) {
                return false;
            }
        }
        return open.size() == 1;
    }

    /** Reads a quantifier, if one follows. False if it repeats what already varies. */
    private boolean quantifier(Group around, Group repeated) {
        if (position >= regex.length()) {
            return true;
        }
        char c = regex.charAt(position);
        int end = c == '{' ? regex.indexOf('}', position) : position;
        boolean exact = c == '{'
                && end > 0
                && regex.substring(position + 1, end).chars().allMatch(Character::isDigit);
        if ("*+?{".indexOf(c) < 0 || end < 0 || exact) {
            return true;
        }
        position = end + 1;
        around.varies = true;
        around.repetitions += c == '?' ? 0 : 1;
        boolean twice = position < regex.length() && "*{".indexOf(regex.charAt(position)) >= 0;
        return !twice && around.repetitions <= MAX_REPETITIONS && (c == '?' || repeated == null || !repeated.varies);
    }

    private void skipEscape() {
        boolean braces = position + 1 < regex.length()
                && "pPx".indexOf(regex.charAt(position)) >= 0
                && regex.charAt(position + 1) == '{';
        int end = braces ? regex.indexOf('}', position) : position;
        position = (end < 0 ? position : end) + 1;
    }

    /** A class in brackets, which may hold others. */
    private void skipClass() {
        int depth = 1;
        if (position < regex.length() && regex.charAt(position) == '^') {
            position++;
        }
        while (position < regex.length() && depth > 0) {
            char c = regex.charAt(position++);
            switch (c) {
                case '\\' -> position++;
                case '[' -> depth++;
                case ']' -> depth--;
                default -> {}
            }
        }
    }

    /** {@code ?:}, {@code ?=}, {@code ?!}, {@code ?i:} and the like after an open parenthesis. */
    private void skipGroupKind() {
        if (position < regex.length() && regex.charAt(position) == '?') {
            position++;
            while (position < regex.length() && "imsx-<>=!:".indexOf(regex.charAt(position)) >= 0) {
                position++;
            }
        }
    }
}
