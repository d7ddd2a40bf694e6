package org.espalier.kernel.display;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.font.TextLayout;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** A drawing as PNG, two pixels for one where that is not too many: what GitHub, LaTeX and word processors show. */
final class DrawingPng {

    /** Of an image that goes into a notebook: as many as a large screen has. */
    static final double MOST_PIXELS = 4e6;

    private DrawingPng() {}

    /** Draws with the fonts of this machine; what AWT throws where it finds none, {@link Fonts} knows. */
    static byte[] of(Drawing drawing) {
        return encoded(image(drawing));
    }

    static BufferedImage image(Drawing drawing) {
        double scale = Math.min(2, Math.sqrt(MOST_PIXELS / ((double) drawing.width() * drawing.height())));
        BufferedImage image = new BufferedImage(
                (int) (drawing.width() * scale), (int) (drawing.height() * scale), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
        graphics.setRenderingHints(Map.of(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON,
                RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON));
        graphics.scale(scale, scale);
        for (Drawing.Mark mark : drawing.marks()) {
            if (mark instanceof Drawing.Box box) {
                graphics.setColor(new Color(box.rgb()));
                graphics.fillRect(box.x(), box.y(), box.width(), box.height());
            } else if (mark instanceof Drawing.Label label && !label.text().isEmpty()) {
                label(graphics, label);
            }
        }
        graphics.dispose();
        return image;
    }

    private static void label(Graphics2D graphics, Drawing.Label label) {
        graphics.setColor(new Color(Drawing.INK));
        TextLayout layout = new TextLayout(label.text(), font(label.style()), graphics.getFontRenderContext());
        layout.draw(graphics, (float) (label.x() - label.anchor().part * layout.getAdvance()), label.y());
    }

    static Font font(Drawing.Style style) {
        return new Font(Font.SANS_SERIF, style.bold() ? Font.BOLD : Font.PLAIN, style.size);
    }

    static byte[] encoded(BufferedImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(bytes)) {
            ImageIO.write(image, "png", stream);
        } catch (IOException e) {
            throw new IllegalStateException(e); // memory has no such errors
        }
        return bytes.toByteArray();
    }
}
