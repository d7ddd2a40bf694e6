package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings requests to {@link Requests} and replies back: cells one after the other on a thread of their own, so that everything else is
 * answered while one runs. Every request gets a reply: one that is not known or wrong, an error. Clients take turns, and one that
 * asks faster than it and the others read what that causes is held up.
 */
public final class Dispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    /** Of one client. */
    private static final int CELLS = 10_000;

    private static final int QUESTIONS = 16;

    /** These do not wait for anybody to read. */
    private static final Set<String> AT_ONCE = Set.of("interrupt_request", "shutdown_request");

    private final Requests requests;
    private final Runnable exit;
    private final FairQueue cells = new FairQueue(CELLS);
    private final FairQueue questions = new FairQueue(QUESTIONS);
    private final FairQueue controls = new FairQueue(QUESTIONS);
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
        Thread cellThread = thread("espalier-cells", cells, this::execute);
        cellThread.setDaemon(false); // it keeps the process
        cellThread.start();
        thread("espalier-requests", questions, request -> answer(request, connection::replyOnShell))
                .start();
        thread("espalier-control-requests", controls, request -> answer(request, connection::replyOnControl))
                .start();
        opened.start();
    }

    private static Thread thread(String name, FairQueue queue, Consumer<Message> answerer) {
        return new DaemonThreads(name).newThread(() -> {
            while (true) {
                try {
                    answerer.accept(queue.take());
                } catch (InterruptedException e) {
                    // an interrupt that came between two cells, or by code that interrupts every thread it finds
                } catch (RuntimeException | Error e) { // this thread's end would be the kernel's
                    Failures.log(LOG, "a request could not be answered", e);
                }
            }
        });
    }

    /** Takes requests of the shell channel. */
    public Receiver shell() {
        return receiver(
                request -> (request.type().equals("execute_request") ? cells : questions).put(request),
                reply -> connection.replyOnShell(reply));
    }

    /** Takes requests of the control channel. */
    public Receiver control() {
        return receiver(controls::put, reply -> connection.replyOnControl(reply));
    }

    private Receiver receiver(Consumer<Message> taker, Consumer<Message> sender) {
        return new Receiver() {
            @Override
            public void accept(Message request) {
                taker.accept(request);
            }

            @Override
            public void refuse(Message request, String reason) {
                busy(request);
                ObjectNode error = error("InvalidRequest", reason);
                if (request.type().equals("execute_request")) {
                    show(request, error);
                }
                reply(request, sender, () -> error);
                status(request, "idle");
            }
        };
    }

    private void answer(Message request, Consumer<Message> sender) {
        try {
            busy(request);
            respond(request, sender);
        } catch (RuntimeException | Error e) { // of a message that gets no reply, or of sending one
            Failures.log(LOG, request.type(), e);
        } finally {
            status(request, "idle");
        }
    }

    private void respond(Message request, Consumer<Message> sender) {
        Fields fields = Fields.of(request);
        switch (request.type()) {
            case "kernel_info_request" -> reply(request, sender, requests::kernelInfo);
            case "complete_request" ->
                reply(request, sender, () -> {
                    String code = fields.text("code");
                    return requests.complete(code, fields.cursor(code));
                });
            case "inspect_request" ->
                reply(request, sender, () -> {
                    String code = fields.text("code");
                    return requests.inspect(code, fields.cursor(code), fields.number("detail_level", 0));
                });
            case "is_complete_request" -> reply(request, sender, () -> requests.isComplete(fields.text("code")));
            case "history_request" -> reply(request, sender, () -> requests.history(request.content()));
            case "comm_info_request" ->
                reply(request, sender, () -> {
                    ObjectNode none = ok();
                    none.putObject("comms");
                    return none;
                });
            case "comm_open" -> // no target is known
                connection.publish(
                        request.broadcast("comm_close", Message.object().put("comm_id", fields.text("comm_id"))));
            case "comm_msg", "comm_close" -> {}
            case "interrupt_request" ->
                reply(request, sender, () -> {
                    requests.interrupt();
                    return ok();
                });
            case "shutdown_request" -> shutdown(request, fields, sender);
            default ->
                reply(request, sender, () -> error("UnknownRequest", "this kernel does not know " + request.type()));
        }
    }

    private void shutdown(Message request, Fields fields, Consumer<Message> sender) {
        try {
            requests.shutdown();
        } catch (RuntimeException | Error e) {
            Failures.log(LOG, "not everything could be closed", e);
        }
        reply(request, sender, () -> ok().put("restart", fields.flag("restart", false)));
        status(request, "idle");
        new DaemonThreads("espalier-exit")
                .newThread(() -> {
                    try {
                        connection.close();
                    } finally {
                        exit.run();
                    }
                })
                .start();
    }

    private static void reply(Message request, Consumer<Message> sender, Supplier<ObjectNode> content) {
        ObjectNode answer;
        try {
            answer = content.get();
        } catch (Fields.InvalidRequest e) {
            answer = error("InvalidRequest", e.getMessage());
        } catch (RuntimeException | Error e) {
            Failures.log(LOG, request.type(), e);
            answer = error(e.getClass().getName(), String.valueOf(e.getMessage()));
        }
        String type = request.type().replaceFirst("_request$", "") + "_reply";
        sender.accept(request.reply(type, answer));
    }

    private void execute(Message request) {
        busy(request);
        try {
            ObjectNode reply = executed(request);
            boolean stops = reply.path("status").asText().equals("error")
                    && request.content().path("stop_on_error").asBoolean(true);
            // before the reply: what is sent after it is to run
            List<Message> aborted = stops ? cells.takeAll(request) : List.of();
            connection.replyOnShell(request.reply("execute_reply", reply.put("execution_count", executions)));
            aborted.forEach(this::abort);
        } finally {
            status(request, "idle");
        }
    }

    /** Runs a cell and returns the content of its reply, whatever happens. */
    private ObjectNode executed(Message request) {
        try {
            Fields fields = Fields.of(request);
            boolean counted = !fields.flag("silent", false) && fields.flag("store_history", true);
            Cell cell = new Cell(request, connection, executions + (counted ? 1 : 0));
            executions = cell.count();
            ObjectNode reply = requests.execute(cell);
            if (reply.path("status").asText().equals("error")) {
                cell.error(reply);
            }
            return reply;
        } catch (Fields.InvalidRequest e) {
            return show(request, error("InvalidRequest", e.getMessage()));
        } catch (RuntimeException | Error e) {
            Failures.log(LOG, "a cell failed", e);
            return show(request, error(e.getClass().getName(), String.valueOf(e.getMessage())));
        }
    }

    /** Shows an error in the cell that asked. */
    private ObjectNode show(Message request, ObjectNode error) {
        ObjectNode shown = error.deepCopy();
        shown.remove("status");
        shown.withArray("traceback").add(shown.path("evalue").asText());
        connection.publish(request.broadcast("error", shown));
        return error;
    }

    private void abort(Message request) {
        busy(request);
        connection.replyOnShell(request.reply(
                "execute_reply", Message.object().put("status", "aborted").put("execution_count", executions)));
        status(request, "idle");
    }

    private void busy(Message request) {
        if (!AT_ONCE.contains(request.type())) {
            connection.awaitReaders();
        }
        status(request, "busy");
    }

    private void status(Message request, String state) {
        connection.publish(request.broadcast("status", Message.object().put("execution_state", state)));
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
