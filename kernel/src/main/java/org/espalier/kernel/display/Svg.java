package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/**
 * An SVG document: {@code display(Svg.of("<svg xmlns=...>...</svg>"))}. Nobody but a browser can draw every SVG, so there is no other form beside it;
 * nbconvert needs Inkscape to bring it into LaTeX.
 */
public record Svg(String source) implements Displayed {

    /** @throws IllegalArgumentException if there is no {@code <svg} in it */
    public static Svg of(String source) {
        return new Svg(source);
    }

    public Svg {
        if (!source.contains("<svg")) {
            throw new IllegalArgumentException("this is no SVG document: it has no <svg");
        }
    }

    @Override
    public DisplayData display() {
        DisplayData data = new DisplayData(source);
        data.putSVG(source.substring(source.indexOf("<svg"))); // a prologue does not belong into a page
        return data;
    }
}
