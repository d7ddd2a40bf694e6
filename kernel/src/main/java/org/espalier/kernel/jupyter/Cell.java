package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/**
 * A cell that runs: its code, and where its output goes. Output that comes after its end still goes to it. Output waits for clients that
 * read slowly; an interrupt of the waiting thread ends the wait.
 */
public final class Cell {

    private final Message request;
    private final Connection connection;
    private final int count;
    private final String code;
    private final boolean silent;
    private final boolean stored;
    private final boolean unwatched;
    private final boolean asks;
    private final ObjectNode userExpressions;
    private volatile Runnable beforeOutput = () -> {};

    /** @throws Fields.InvalidRequest if a field has a wrong type */
    Cell(Message request, Connection connection, int count) {
        Fields fields = Fields.of(request);
        this.request = request;
        this.connection = connection;
        this.count = count;
        code = fields.text("code");
        silent = fields.flag("silent", false);
        stored = fields.flag("store_history", true) && !silent;
        asks = fields.flag("allow_stdin", false);
        unwatched = !fields.flag("allow_stdin", true);
        userExpressions = fields.object("user_expressions");
    }

    public String code() {
        return code;
    }

    /** The number in its prompt. */
    public int count() {
        return count;
    }

    /** Whether the client wants to see nothing of it. */
    public boolean silent() {
        return silent;
    }

    /** Whether it goes into the history. */
    public boolean stored() {
        return stored;
    }

    /** Whether nobody sees output as it comes: the client says that nobody can be asked. */
    public boolean unwatched() {
        return unwatched;
    }

    /** Expressions to evaluate after the code, by the client's name for each. */
    public ObjectNode userExpressions() {
        return userExpressions;
    }

    /** What has to happen before any output but text: text that waits goes first. */
    public void beforeOutput(Runnable action) {
        beforeOutput = action;
    }

    /** Tells all clients that it runs: who executes it says so when it can be interrupted. */
    public void announce() {
        if (!silent) {
            ObjectNode input = Message.object().put("code", code).put("execution_count", count);
            connection.publish(request.broadcast("execute_input", input));
        }
    }

    /** Shows text; {@code name} is stdout or stderr. */
    public void stream(String name, String text) {
        if (!silent) {
            publish("stream", Message.object().put("name", name).put("text", text));
        }
    }

    /** Shows a display. */
    public void display(DisplayData data) {
        output("display_data", Displays.json(data));
    }

    /** Replaces what was displayed under the same display id. That may be far above, so text that waits need not go first. */
    public void update(DisplayData data) {
        if (!silent) {
            publish("update_display_data", Displays.json(data));
        }
    }

    /** Takes away all that was shown. */
    public void clear() {
        output("clear_output", Message.object().put("wait", false));
    }

    /** Shows the value of the cell's last expression. */
    public void result(DisplayData data) {
        output("execute_result", Displays.json(data).put("execution_count", count));
    }

    void error(ObjectNode error) {
        beforeOutput.run();
        if (!silent) {
            connection.publish(request.broadcast("error", error.deepCopy().without(List.of("status"))));
        }
    }

    /** Asks the user for a line. */
    public String input(String prompt) throws InterruptedException {
        if (!asks) {
            throw new IllegalStateException("this client cannot ask for input");
        }
        beforeOutput.run();
        return connection.input(request, prompt, false);
    }

    /** Output waits for slow clients no longer, so that the cell can end. */
    public void hurry() {
        connection.hurry(true);
    }

    /** Output waits for slow clients again. */
    public void takeTime() {
        connection.hurry(false);
    }

    private void output(String type, ObjectNode content) {
        beforeOutput.run();
        if (!silent) {
            publish(type, content);
        }
    }

    private void publish(String type, ObjectNode content) {
        connection.publishOutput(request.broadcast(type, content));
    }
}
