package org.espalier.kernel.extension;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dflib.jjava.jupyter.kernel.BaseKernel;
import org.dflib.jjava.jupyter.kernel.JupyterIO;
import org.dflib.jjava.jupyter.kernel.LanguageInfo;
import org.dflib.jjava.jupyter.kernel.ReplacementOptions;
import org.dflib.jjava.jupyter.kernel.comm.CommManager;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.Renderer;
import org.dflib.jjava.jupyter.kernel.magic.MagicsRegistry;
import org.dflib.jjava.jupyter.kernel.util.StringStyler;
import org.espalier.kernel.display.Output;

/** The base kernel that extensions believe to be installed in: it keeps their magics and passes on what they show. */
final class ExtensionHost extends BaseKernel {

    private final HostIo hostIo;

    ExtensionHost() {
        this(new HostIo());
    }

    private ExtensionHost(HostIo io) {
        super(
                "espalier",
                "",
                new LanguageInfo.Builder("java").build(),
                List.of(),
                null,
                io,
                new CommManager(),
                new Renderer(),
                null,
                new MagicsRegistry(),
                false,
                new StringStyler("", "", "", line -> ""));
        hostIo = io;
    }

    /** Standard streams and displays of the base, whose connection to a cell only subclasses may set. */
    private static final class HostIo extends JupyterIO {
        HostIo() {
            super(StandardCharsets.UTF_8);
        }

        void attach(Output output) {
            setEnv(new ExtensionOutput(output));
        }
    }

    /** From now on extensions show things in this cell. */
    void attach(Output output) {
        hostIo.attach(output);
    }

    @Override
    public Object evalRaw(String expression) {
        throw new UnsupportedOperationException("extensions cannot run code in this kernel");
    }

    @Override
    public DisplayData inspect(String code, int at, boolean extraDetail) {
        return null;
    }

    @Override
    public ReplacementOptions complete(String code, int at) {
        return null;
    }

    @Override
    public String isComplete(String code) {
        return IS_COMPLETE_MAYBE;
    }
}
