package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings requests to {@link Requests} and replies back: cells one after the other on a thread of their own, so that everything else is
 * answered while one runs. Every request gets a reply, one that is not known too.
 */
public final class Dispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    private final Requests requests;
    private final Runnable exit;
    private final BlockingQueue<Message> cells = new LinkedBlockingQueue<>();
    private final ExecutorService answering = Executors.newSingleThreadExecutor(new DaemonThreads("espalier-requests"));
    private final ExecutorService controlling =
            Executors.newSingleThreadExecutor(new DaemonThreads("espalier-control-requests"));
    private Connection connection;
    private int executions;

    /** @param exit ends the process, after a shutdown request was answered */
    public Dispatcher(Requests requests, Runnable exit) {
        this.requests = requests;
        this.exit = exit;
    }

    /** Starts to answer. */
    public void start(Connection opened) {
        connection = opened;
        Thread cellThread = new DaemonThreads("espalier-cells").newThread(this::runCells);
        cellThread.setDaemon(false); // it keeps the process
        cellThread.start();
        opened.start();
    }

    /** Takes a request of the shell channel. */
    public void shell(Message request) {
        if (request.type().equals("execute_request")) {
            cells.add(request);
        } else {
            answering.execute(() -> answer(request, connection::replyOnShell));
        }
    }

    /** Takes a request of the control channel. */
    public void control(Message request) {
        controlling.execute(() -> answer(request, connection::replyOnControl));
    }

    private void answer(Message request, Consumer<Message> sender) {
        status(request, "busy");
        try {
            ObjectNode content = request.content();
            String code = content.path("code").asText();
            int cursor = offset(code, content.path("cursor_pos").asInt(code.length()));
            switch (request.type()) {
                case "kernel_info_request" -> reply(request, sender, requests::kernelInfo);
                case "complete_request" -> reply(request, sender, () -> requests.complete(code, cursor));
                case "inspect_request" ->
                    reply(
                            request,
                            sender,
                            () -> requests.inspect(
                                    code, cursor, content.path("detail_level").asInt()));
                case "is_complete_request" -> reply(request, sender, () -> requests.isComplete(code));
                case "history_request" -> reply(request, sender, () -> requests.history(content));
                case "comm_info_request" ->
                    reply(request, sender, () -> {
                        ObjectNode none = ok();
                        none.putObject("comms");
                        return none;
                    });
                case "comm_open" ->
                    connection.publish(request.broadcast(
                            "comm_close",
                            Message.object()
                                    .put("comm_id", content.path("comm_id").asText())));
                case "comm_msg", "comm_close" -> {}
                case "interrupt_request" ->
                    reply(request, sender, () -> {
                        requests.interrupt();
                        return ok();
                    });
                case "shutdown_request" -> shutdown(request, sender);
                default ->
                    reply(
                            request,
                            sender,
                            () -> error("UnknownRequest", "this kernel does not know " + request.type()));
            }
        } finally {
            status(request, "idle");
        }
    }

    private void shutdown(Message request, Consumer<Message> sender) {
        requests.shutdown();
        reply(
                request,
                sender,
                () -> ok().put("restart", request.content().path("restart").asBoolean()));
        status(request, "idle");
        new DaemonThreads("espalier-exit")
                .newThread(() -> {
                    connection.close();
                    exit.run();
                })
                .start();
    }

    private static void reply(Message request, Consumer<Message> sender, Supplier<ObjectNode> content) {
        ObjectNode answer;
        try {
            answer = content.get();
        } catch (RuntimeException | Error e) {
            LOG.error("{} failed", request.type(), e);
            answer = error(e.getClass().getName(), String.valueOf(e.getMessage()));
        }
        String type = request.type().replaceFirst("_request$", "") + "_reply";
        sender.accept(request.reply(type, answer));
    }

    private void runCells() {
        while (true) {
            try {
                execute(cells.take());
            } catch (InterruptedException e) {
                // an interrupt that came between two cells
            } catch (RuntimeException | Error e) { // this thread's end would be the kernel's
                LOG.error("a cell's reply could not be made", e);
            }
        }
    }

    private void execute(Message request) {
        boolean silent = request.content().path("silent").asBoolean(false);
        boolean counted = !silent && request.content().path("store_history").asBoolean(true);
        executions += counted ? 1 : 0;
        Cell cell = new Cell(request, connection, executions);
        status(request, "busy");
        try {
            if (!silent) {
                connection.publish(request.broadcast(
                        "execute_input",
                        Message.object().put("code", cell.code()).put("execution_count", executions)));
            }
            ObjectNode reply = requests.execute(cell);
            boolean failed = reply.path("status").asText().equals("error");
            if (failed) {
                cell.error(reply);
            }
            connection.replyOnShell(request.reply("execute_reply", reply.put("execution_count", executions)));
            if (failed && request.content().path("stop_on_error").asBoolean(true)) {
                abortWaiting();
            }
        } finally {
            status(request, "idle");
        }
    }

    private void abortWaiting() {
        List<Message> waiting = new ArrayList<>();
        cells.drainTo(waiting);
        for (Message request : waiting) {
            status(request, "busy");
            connection.replyOnShell(request.reply(
                    "execute_reply", Message.object().put("status", "aborted").put("execution_count", executions)));
            status(request, "idle");
        }
    }

    private void status(Message request, String state) {
        connection.publish(request.broadcast("status", Message.object().put("execution_state", state)));
    }

    /** The protocol counts characters, Java code units. */
    private static int offset(String code, int characters) {
        int all = code.codePointCount(0, code.length());
        return code.offsetByCodePoints(0, Math.max(0, Math.min(all, characters)));
    }

    public static ObjectNode ok() {
        return Message.object().put("status", "ok");
    }

    /** The content of a reply that reports a failure, without traceback. */
    public static ObjectNode error(String name, String value) {
        ObjectNode error =
                Message.object().put("status", "error").put("ename", name).put("evalue", value);
        error.putArray("traceback");
        return error;
    }
}
