package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** HTML, taken as it is: {@code display(Html.of("<b>bold</b>"))}. */
public record Html(String source) implements Displayed {

    public static Html of(String source) {
        return new Html(source);
    }

    @Override
    public DisplayData display() {
        return Bundles.html(source, source);
    }
}
