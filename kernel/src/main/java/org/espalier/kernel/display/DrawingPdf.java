package org.espalier.kernel.display;

import java.awt.font.FontRenderContext;
import java.awt.font.TextLayout;
import java.awt.geom.AffineTransform;
import java.awt.geom.PathIterator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.DeflaterOutputStream;

/**
 * A drawing as a PDF of one page (ISO 32000-1), for LaTeX, which takes no SVG. Labels are text in Helvetica, which every reader has; what
 * Windows-1252 has no character for is drawn as outlines of a font of this machine.
 */
final class DrawingPdf {

    private static final double POINTS = 0.75; // a pixel of CSS

    private static final Charset WIN_ANSI = Charset.forName("windows-1252");

    /** Advances of Helvetica's characters 32 to 126 in thousandths of the size, from Adobe's font metrics; the others are about a digit wide. */
    private static final int[] ADVANCES = {
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
        556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
        556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
        556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
        500, 500, 500, 334, 260, 334, 584
    };

    private final StringBuilder content = new StringBuilder();

    private DrawingPdf() {}

    static byte[] of(Drawing drawing) {
        DrawingPdf page = new DrawingPdf();
        page.add("%s 0 0 -%s 0 %s cm\n", POINTS, POINTS, POINTS * drawing.height());
        for (Drawing.Mark mark : drawing.marks()) {
            if (mark instanceof Drawing.Box box) {
                page.fill(box.rgb());
                page.add("%d %d %d %d re f\n", box.x(), box.y(), box.width(), box.height());
            } else if (mark instanceof Drawing.Label label) {
                page.fill(Drawing.INK);
                page.label(label);
            }
        }
        return page.file(drawing);
    }

    private void add(String format, Object... values) {
        content.append(String.format(Locale.ROOT, format, values));
    }

    private void fill(int rgb) {
        add("%.3f %.3f %.3f rg\n", (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0, (rgb & 0xff) / 255.0);
    }

    private void label(Drawing.Label label) {
        if (WIN_ANSI.newEncoder().canEncode(label.text())) {
            text(label);
        } else if (Fonts.where(() -> outline(label)).map(content::append).isEmpty()) {
            text(label); // with question marks
        }
    }

    private void text(Drawing.Label label) {
        byte[] bytes = label.text().getBytes(WIN_ANSI);
        double width = 0;
        StringBuilder hex = new StringBuilder();
        for (byte b : bytes) {
            int code = b & 0xff;
            width += code >= 32 && code < 127 ? ADVANCES[code - 32] : 556;
            hex.append(String.format("%02x", code));
        }
        double x = label.x() - label.anchor().part * width / 1000 * label.style().size;
        add("BT /%s %d Tf 1 0 0 -1 %.2f %d Tm <%s> Tj ET\n", label.style(), label.style().size, x, label.y(), hex);
    }

    private static StringBuilder outline(Drawing.Label label) {
        TextLayout layout =
                new TextLayout(label.text(), DrawingPng.font(label.style()), new FontRenderContext(null, true, true));
        double x = label.x() - label.anchor().part * layout.getAdvance();
        StringBuilder path = new StringBuilder();
        double[] p = new double[6];
        double[] at = new double[2];
        PathIterator parts = layout.getOutline(AffineTransform.getTranslateInstance(x, label.y()))
                .getPathIterator(null);
        for (; !parts.isDone(); parts.next()) {
            int kind = parts.currentSegment(p);
            switch (kind) {
                case PathIterator.SEG_MOVETO -> path.append(points("m", p[0], p[1]));
                case PathIterator.SEG_LINETO -> path.append(points("l", p[0], p[1]));
                case PathIterator.SEG_QUADTO -> // as a cubic, which is all that PDF has
                    path.append(points(
                            "c",
                            at[0] + 2 * (p[0] - at[0]) / 3,
                            at[1] + 2 * (p[1] - at[1]) / 3,
                            p[2] + 2 * (p[0] - p[2]) / 3,
                            p[3] + 2 * (p[1] - p[3]) / 3,
                            p[2],
                            p[3]));
                case PathIterator.SEG_CUBICTO -> path.append(points("c", p));
                default -> path.append("h\n");
            }
            int end = kind == PathIterator.SEG_CUBICTO ? 4 : kind == PathIterator.SEG_QUADTO ? 2 : 0;
            at = new double[] {p[end], p[end + 1]};
        }
        return path.append("f\n");
    }

    private static String points(String operator, double... values) {
        StringBuilder line = new StringBuilder();
        for (double value : values) {
            line.append(String.format(Locale.ROOT, "%.2f ", value));
        }
        return line.append(operator).append('\n').toString();
    }

    private byte[] file(Drawing drawing) {
        byte[] stream = deflated(content.toString().getBytes(StandardCharsets.US_ASCII));
        List<String> objects = List.of(
                "<< /Type /Catalog /Pages 2 0 R >>",
                "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                String.format(
                        Locale.ROOT,
                        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 6 0 R"
                                + " /Resources << /Font << /PLAIN 4 0 R /HEADING 5 0 R >> >> >>",
                        POINTS * drawing.width(),
                        POINTS * drawing.height()),
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
                "<< /Length " + stream.length + " /Filter /FlateDecode >>\nstream\n"
                        + new String(stream, StandardCharsets.ISO_8859_1) + "\nendstream");
        StringBuilder file = new StringBuilder("%PDF-1.4\n");
        List<Integer> offsets = new ArrayList<>();
        for (String object : objects) {
            offsets.add(file.length());
            file.append(offsets.size()).append(" 0 obj\n").append(object).append("\nendobj\n");
        }
        int table = file.length();
        file.append("xref\n0 ").append(objects.size() + 1).append("\n0000000000 65535 f \n");
        offsets.forEach(offset -> file.append(String.format("%010d 00000 n \n", offset)));
        file.append("trailer\n<< /Size ").append(objects.size() + 1).append(" /Root 1 0 R >>\nstartxref\n");
        file.append(table).append("\n%%EOF\n");
        return file.toString().getBytes(StandardCharsets.ISO_8859_1); // a character is a byte
    }

    private static byte[] deflated(byte[] bytes) {
        ByteArrayOutputStream shorter = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(shorter)) {
            deflater.write(bytes);
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e); // memory has no such errors
        }
        return shorter.toByteArray();
    }
}
