package org.espalier.kernel.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dflib.jjava.jupyter.Extension;
import org.dflib.jjava.jupyter.kernel.BaseKernel;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.dflib.jjava.jupyter.kernel.magic.CellMagic;
import org.dflib.jjava.jupyter.kernel.magic.LineMagic;
import org.espalier.EspalierException;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.magic.Magic;
import org.espalier.kernel.magic.MagicCall;
import org.junit.jupiter.api.Test;

class ExtensionsTest implements Output {

    private final List<String> shown = new ArrayList<>();

    /** As somebody would write it for any kernel of the base. */
    private static final class Greetings implements Extension {
        @Override
        public void install(BaseKernel kernel) {
            kernel.getMagicsRegistry()
                    .registerLineMagic("hello", (LineMagic<String, BaseKernel>) (k, words) -> "hello " + words)
                    .registerLineMagic("broken", (LineMagic<String, BaseKernel>) (k, words) -> {
                        throw new IllegalStateException("out of order");
                    })
                    .registerCellMagic("hello", (CellMagic<Object, BaseKernel>) (k, words, body) -> {
                        DisplayData data = new DisplayData("waiting");
                        data.setDisplayId("one");
                        k.display(data);
                        k.getIO().display.updateDisplay("one", new DisplayData(body));
                        return null;
                    });
        }
    }

    private Magic magic(String name) {
        return Extensions.install(List.of(new Greetings())).stream()
                .filter(magic -> magic.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private MagicCall call(String arguments, Optional<String> body) {
        return new MagicCall(arguments, body, this, null);
    }

    @Override
    public void print(String text) {
        shown.add("print " + text);
    }

    @Override
    public void display(DisplayData data) {
        shown.add("display " + data.getData(MIMEType.TEXT_PLAIN));
    }

    @Override
    public void update(DisplayData data) {
        shown.add("update " + data.getDisplayId() + " " + data.getData(MIMEType.TEXT_PLAIN));
    }

    @Override
    public void clear() {
        shown.clear();
    }

    @Test
    void aLineMagicsValueIsShown() throws Exception {
        magic("hello").run(call("a 'b c'", Optional.empty()));
        assertThat(shown).containsExactly("display hello [a, b c]");
    }

    @Test
    void aCellMagicMayDisplayAndUpdate() throws Exception {
        magic("hello").run(call("", Optional.of("the body")));
        assertThat(shown).containsExactly("display waiting", "update one the body");
    }

    @Test
    void aFailureIsOneSentence() {
        assertThatThrownBy(() -> magic("broken").run(call("", Optional.empty())))
                .isInstanceOf(EspalierException.class)
                .hasMessage("%broken failed: java.lang.IllegalStateException: out of order");
    }
}
