package org.espalier.kernel.display;

import java.util.List;

/**
 * A picture of boxes and labels on white, which {@link DrawingSvg}, {@link DrawingPng} and {@link DrawingPdf} write: one picture for all
 * viewers, so it says all its colours.
 *
 * @param width in pixels; x goes right from 0
 * @param height in pixels; y goes down from 0
 * @param marks later ones above earlier ones
 */
public record Drawing(String title, int width, int height, List<Mark> marks) {

    /** The colour of all labels: 15.9:1 on white. */
    static final int INK = 0x222222;

    public Drawing {
        marks = List.copyOf(marks);
    }

    /** One part of a drawing. */
    public sealed interface Mark permits Box, Label {}

    /**
     * A filled rectangle.
     *
     * @param rgb its colour
     * @param tip what a browser says of it; may be empty
     */
    public record Box(int x, int y, int width, int height, int rgb, String tip) implements Mark {}

    /**
     * One line of text.
     *
     * @param x where {@code anchor} says
     * @param y of the base line
     */
    public record Label(int x, int y, Anchor anchor, Style style, String text) implements Mark {}

    /** Which point of a label lies at its x. */
    public enum Anchor {
        START(0),
        MIDDLE(0.5),
        END(1);

        /** Of a label's width, what lies left of its x. */
        final double part;

        Anchor(double part) {
            this.part = part;
        }
    }

    /** How a label is set, in sans serif. */
    public enum Style {
        PLAIN(11),
        HEADING(13);

        final int size;

        Style(int size) {
            this.size = size;
        }

        boolean bold() {
            return this == HEADING;
        }
    }

    static String hex(int rgb) {
        return String.format("#%06x", rgb);
    }
}
