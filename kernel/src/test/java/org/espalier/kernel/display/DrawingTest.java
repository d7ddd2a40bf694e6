package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.InflaterOutputStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.espalier.kernel.display.Drawing.Anchor;
import org.espalier.kernel.display.Drawing.Box;
import org.espalier.kernel.display.Drawing.Label;
import org.espalier.kernel.display.Drawing.Style;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

class DrawingTest {

    private static final Drawing DRAWING = new Drawing(
            "two < boxes",
            100,
            60,
            List.of(
                    new Box(10, 20, 30, 15, 0x1f64a0, "left & right"),
                    new Box(50, 20, 30, 15, 0xc9daf0, ""),
                    new Label(90, 50, Anchor.END, Style.PLAIN, "0.5 <é>")));

    @Test
    void svgHasEveryMark() throws Exception {
        Element svg = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(DrawingSvg.of(DRAWING).getBytes(StandardCharsets.UTF_8)))
                .getDocumentElement();
        assertThat(svg.getAttribute("aria-label")).isEqualTo("two < boxes");
        Element box = (Element) svg.getElementsByTagName("rect").item(1); // after the background
        assertThat(List.of(box.getAttribute("x"), box.getAttribute("width"), box.getAttribute("fill")))
                .containsExactly("10", "30", "#1f64a0");
        assertThat(box.getTextContent()).isEqualTo("left & right");
        assertThat(svg.getElementsByTagName("text").item(0).getTextContent()).isEqualTo("0.5 <é>");
    }

    @Test
    void pngHasTheBoxesColoursAndDarkLabelsOnWhite() throws Exception {
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(DrawingPng.of(DRAWING)));
        assertThat(List.of(image.getWidth(), image.getHeight())).containsExactly(200, 120);
        assertThat(rgb(image, 0, 0)).isEqualTo(0xffffff);
        assertThat(rgb(image, 20, 40)).isEqualTo(0x1f64a0);
        assertThat(rgb(image, 79, 69)).isEqualTo(0x1f64a0);
        assertThat(rgb(image, 80, 69)).isEqualTo(0xffffff);
        assertThat(rgb(image, 130, 50)).isEqualTo(0xc9daf0);
        int darkest = 0xff;
        for (int x = 100; x < 180; x++) { // left of the label's end
            for (int y = 80; y < 104; y++) {
                darkest = Math.min(darkest, rgb(image, x, y) & 0xff);
            }
        }
        assertThat(darkest).isLessThan(0x60);
        for (int y = 80; y < 104; y++) {
            assertThat(rgb(image, 190, y)).isEqualTo(0xffffff);
        }
    }

    private static int rgb(BufferedImage image, int x, int y) {
        return image.getRGB(x, y) & 0xffffff;
    }

    @Test
    void pngHasAtMostFourMillionPixels() {
        BufferedImage image =
                DrawingPng.image(new Drawing("large", 4000, 2500, List.of(new Box(0, 0, 2000, 2500, 0x0b3567, ""))));
        assertThat((long) image.getWidth() * image.getHeight()).isBetween(3_990_000L, 4_000_000L);
        assertThat(rgb(image, image.getWidth() / 2 - 2, 100)).isEqualTo(0x0b3567);
        assertThat(rgb(image, image.getWidth() / 2 + 2, 100)).isEqualTo(0xffffff);
    }

    @Test
    void pdfFindsItsObjectsWhereItsTableSays() {
        String file = text(DrawingPdf.of(DRAWING));
        assertThat(file).startsWith("%PDF-1.4\n").endsWith("%%EOF\n").contains("/MediaBox [0 0 75.00 45.00]");
        int table = Integer.parseInt(found(file, "startxref\n(\\d+)\n%%EOF").group(1));
        assertThat(file.substring(table)).startsWith("xref\n0 7\n");
        Matcher entries = Pattern.compile("(\\d{10}) 00000 n \n").matcher(file.substring(table));
        for (int object = 1; object <= 6; object++) {
            assertThat(entries.find()).isTrue();
            assertThat(file.substring(Integer.parseInt(entries.group(1)))).startsWith(object + " 0 obj\n");
        }
    }

    @Test
    void pdfDrawsBoxesAndSetsTextFlushRight() throws Exception {
        String page = page(DrawingPdf.of(DRAWING));
        assertThat(page)
                .startsWith("0.75 0 0 -0.75 0 45.0 cm\n")
                .contains("0.122 0.392 0.627 rg\n10 20 30 15 re f\n")
                .contains("0.788 0.855 0.941 rg\n50 20 30 15 re f\n");
        // 0 . 5 blank < é > in Helvetica: 556 + 278 + 556 + 278 + 584 + 556 + 584 thousandths of 11 pixels
        assertThat(page).contains("BT /PLAIN 11 Tf 1 0 0 -1 " + (90 - 37.31) + " 50 Tm <302e35203ce93e> Tj ET\n");
    }

    /** Windows-1252 has no arrow. */
    @Test
    void pdfDrawsOtherScriptsAsOutlines() throws Exception {
        Drawing drawing = new Drawing("", 50, 20, List.of(new Label(5, 15, Anchor.START, Style.HEADING, "→")));
        String page = page(DrawingPdf.of(drawing));
        assertThat(page).doesNotContain("Tj");
        Matcher points = Pattern.compile("(?m)^(\\S+) (\\S+) [ml]$").matcher(page);
        List<MatchResult> corners = points.results().toList();
        assertThat(corners).hasSizeGreaterThan(5).allSatisfy(corner -> {
            assertThat(Double.parseDouble(corner.group(1))).isBetween(5.0, 18.0);
            assertThat(Double.parseDouble(corner.group(2))).isBetween(2.0, 16.0);
        });
    }

    @Test
    void withoutFontsThereIsNoPictureAndNoError() {
        assertThat(Fonts.where(() -> 5)).contains(5);
        Optional<Object> none = Fonts.where(() -> {
            throw new NoClassDefFoundError("Could not initialize class sun.font.SunFontManager");
        });
        assertThat(none).isEmpty();
    }

    private static String page(byte[] pdf) throws Exception {
        String file = text(pdf);
        MatchResult stream = found(file, "(?s)/Length (\\d+) /Filter /FlateDecode >>\nstream\n");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (InflaterOutputStream inflater = new InflaterOutputStream(bytes)) {
            inflater.write(pdf, stream.end(), Integer.parseInt(stream.group(1)));
        }
        return bytes.toString(StandardCharsets.US_ASCII);
    }

    private static MatchResult found(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.toMatchResult();
    }

    private static String text(byte[] pdf) {
        return new String(pdf, StandardCharsets.ISO_8859_1);
    }
}
