package org.espalier.kernel.extension;

import org.dflib.jjava.jupyter.channels.ShellReplyEnvironment;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.messages.ContentType;
import org.dflib.jjava.jupyter.messages.publish.PublishUpdateDisplayData;
import org.espalier.kernel.display.Output;

/** Brings what the base's streams publish into a cell. */
final class ExtensionOutput extends ShellReplyEnvironment {

    private final Output output;

    ExtensionOutput(Output output) {
        super(null, null, null, null); // the base's sockets are not in use
        this.output = output;
    }

    @Override
    public <T extends ContentType<T>> void publish(T content) {
        if (content instanceof PublishUpdateDisplayData update) {
            output.update(update);
        } else if (content instanceof DisplayData data) {
            output.display(data);
        }
    }

    @Override
    public void writeToStdOut(String text) {
        output.print(text);
    }

    @Override
    public void writeToStdErr(String text) {
        output.print(text);
    }
}
