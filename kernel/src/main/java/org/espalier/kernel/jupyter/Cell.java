package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/**
 * A cell that runs: its code, and where its output goes. Output that comes after its end still goes to it.
 */
public final class Cell {

    private final Message request;
    private final Connection connection;
    private final int count;

    Cell(Message request, Connection connection, int count) {
        this.request = request;
        this.connection = connection;
        this.count = count;
    }

    public String code() {
        return request.content().path("code").asText();
    }

    /** The number in its prompt. */
    public int count() {
        return count;
    }

    /** Whether the client wants to see nothing of it. */
    public boolean silent() {
        return request.content().path("silent").asBoolean(false);
    }

    /** Whether it goes into the history. */
    public boolean stored() {
        return !silent() && request.content().path("store_history").asBoolean(true);
    }

    /** Expressions to evaluate after the code, by the client's name for each. */
    public ObjectNode userExpressions() {
        return request.content().path("user_expressions") instanceof ObjectNode expressions
                ? expressions
                : Message.object();
    }

    /** Shows text; {@code name} is stdout or stderr. */
    public void stream(String name, String text) {
        publish("stream", Message.object().put("name", name).put("text", text));
    }

    /** Shows a display. */
    public void display(DisplayData data) {
        publish("display_data", Displays.json(data));
    }

    /** Replaces what was displayed under the same display id. */
    public void update(DisplayData data) {
        publish("update_display_data", Displays.json(data));
    }

    /** Takes away all that was shown. */
    public void clear() {
        publish("clear_output", Message.object().put("wait", false));
    }

    /** Shows the value of the cell's last expression. */
    public void result(DisplayData data) {
        if (!silent()) {
            publish("execute_result", Displays.json(data).put("execution_count", count));
        }
    }

    void error(ObjectNode error) {
        if (!silent()) {
            publish("error", error.deepCopy().without(java.util.List.of("status")));
        }
    }

    /** Asks the user for a line. */
    public String input(String prompt) throws InterruptedException {
        if (!request.content().path("allow_stdin").asBoolean(false)) {
            throw new IllegalStateException("this client cannot ask for input");
        }
        return connection.input(request, prompt, false);
    }

    private void publish(String type, ObjectNode content) {
        connection.publish(request.broadcast(type, content));
    }
}
