package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** LaTeX: {@code display(Latex.of("e^{i\\pi} = -1"))}. What marks no mathematics, by dollars or an environment, is a formula as a whole. */
public record Latex(String source) implements Displayed {

    public static Latex of(String source) {
        return new Latex(source);
    }

    @Override
    public DisplayData display() {
        boolean marked =
                source.contains("$") || source.contains("\\(") || source.contains("\\[") || source.contains("\\begin{");
        DisplayData data = new DisplayData(source);
        data.putLatex(marked ? source : "$\\displaystyle " + source + "$");
        return data;
    }
}
