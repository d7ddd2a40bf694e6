package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** By <a href="https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio">WCAG 2.2</a>: 3:1 for graphics, 4.5:1 for text. */
class ContrastTest {

    /** JupyterLab's light theme, its rows of a table, the same of its dark theme. */
    @ParameterizedTest
    @ValueSource(strings = {"#ffffff", "#f5f5f5", "#111111", "#212121"})
    void barsAndTheirFramesCanBeSeenInBothThemes(String background) {
        for (String bar : PlacementPicture.COLOURS) {
            assertThat(ratio(bar, background)).as(bar).isGreaterThanOrEqualTo(3);
        }
        assertThat(ratio("#888888", background)).isGreaterThanOrEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"#ffffff", "#f5f5f5"})
    void aChartsTextCanBeRead(String background) {
        assertThat(ratio(Drawing.hex(Drawing.INK), background)).isGreaterThanOrEqualTo(4.5);
    }

    private static double ratio(String one, String other) {
        double a = luminance(one);
        double b = luminance(other);
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }

    private static double luminance(String colour) {
        int rgb = Integer.parseInt(colour.substring(1), 16);
        return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
    }

    private static double linear(int channel) {
        double c = (channel & 0xff) / 255.0;
        return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    }
}
