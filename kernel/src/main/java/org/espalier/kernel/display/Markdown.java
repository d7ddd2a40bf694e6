package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** Markdown, for instance {@code display(Markdown.of("**bold**"))}. */
public record Markdown(String source) implements Displayed {

    public static Markdown of(String source) {
        return new Markdown(source);
    }

    @Override
    public DisplayData display() {
        DisplayData data = new DisplayData(source);
        data.putMarkdown(source);
        return data;
    }
}
