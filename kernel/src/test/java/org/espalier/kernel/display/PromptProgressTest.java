package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.junit.jupiter.api.Test;

class PromptProgressTest {

    private final BlockingQueue<String> shown = new LinkedBlockingQueue<>();

    private final Output output = new Output() {
        @Override
        public void print(String text) {
            shown.add("print " + text);
        }

        @Override
        public void display(DisplayData data) {
            shown.add("display " + data.getData(MIMEType.TEXT_PLAIN) + "|" + data.getData(MIMEType.TEXT_HTML));
        }

        @Override
        public void update(DisplayData data) {
            shown.add(data.hasDataForType(MIMEType.TEXT_PLAIN) ? "update" : "remove");
        }

        @Override
        public void clear() {}
    };

    @Test
    void aSlowPromptIsCountedUntilTheAnswerBegins() throws Exception {
        try (PromptProgress progress = new PromptProgress(output)) {
            progress.onPrefill(0, 700);
            progress.onPrefill(256, 700);
            assertThat(shown.poll(20, TimeUnit.SECONDS))
                    .isEqualTo("display reading a prompt of 700 tokens|<progress value=\"36\" max=\"100\"></progress>"
                            + " read 256 of 700 tokens of the prompt");
            progress.onText("The");
            progress.onText(" capital");
        }
        assertThat(List.copyOf(shown)).containsExactly("remove", "print The", "print  capital");
    }

    /** The answer comes before the line would. */
    @Test
    void aQuickPromptShowsNothing() throws Exception {
        PromptProgress progress = new PromptProgress(output);
        progress.onPrefill(0, 5);
        progress.onText("Yes");
        progress.close();
        assertThat(shown).last().isEqualTo("print Yes");
        shown.clear();
        progress.onPrefill(5, 5);
        assertThat(shown).isEmpty();
    }
}
