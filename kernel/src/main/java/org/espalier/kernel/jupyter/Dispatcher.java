package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings requests to {@link Requests} and replies back: cells one after the other on a thread of their own, so that everything else is
 * answered while one runs. Every request gets a reply: one that is not known, wrong or too many, an error.
 */
public final class Dispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    private static final int WAITING = 10_000;
    /** Of code in all cells that wait. */
    private static final long WAITING_CHARACTERS = 64L << 20;

    private final Requests requests;
    private final Runnable exit;
    private final BlockingQueue<Message> cells = new LinkedBlockingQueue<>(WAITING);
    private final AtomicLong waitingCharacters = new AtomicLong();
    private final Executor answering = thread("espalier-requests");
    private final Executor controlling = thread("espalier-control-requests");
    private Connection connection;
    private int executions;

    /** @param exit ends the process, after a shutdown request was answered */
    public Dispatcher(Requests requests, Runnable exit) {
        this.requests = requests;
        this.exit = exit;
    }

    private static Executor thread(String name) {
        return new ThreadPoolExecutor(
                1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING), new DaemonThreads(name));
    }

    /** Starts to answer. */
    public void start(Connection opened) {
        connection = opened;
        Thread cellThread = new DaemonThreads("espalier-cells").newThread(this::runCells);
        cellThread.setDaemon(false); // it keeps the process
        cellThread.start();
        opened.start();
    }

    /** Takes requests of the shell channel. */
    public Receiver shell() {
        return receiver(
                request -> {
                    if (!request.type().equals("execute_request")) {
                        answering.execute(() -> answer(request, connection::replyOnShell));
                    } else if (!wait(request)) {
                        throw new RejectedExecutionException();
                    }
                },
                reply -> connection.replyOnShell(reply));
    }

    /** Takes requests of the control channel. */
    public Receiver control() {
        return receiver(
                request -> controlling.execute(() -> answer(request, connection::replyOnControl)),
                reply -> connection.replyOnControl(reply));
    }

    private Receiver receiver(Consumer<Message> taker, Consumer<Message> sender) {
        return new Receiver() {
            @Override
            public void accept(Message request) {
                try {
                    taker.accept(request);
                } catch (RejectedExecutionException e) {
                    refuse(request, "too many requests wait already: send it again when some have been answered");
                }
            }

            @Override
            public void refuse(Message request, String reason) {
                status(request, "busy");
                ObjectNode error = error("InvalidRequest", reason);
                if (request.type().equals("execute_request")) {
                    show(request, error);
                }
                reply(request, sender, () -> error);
                status(request, "idle");
            }
        };
    }

    private boolean wait(Message request) {
        long characters = request.content().path("code").asText().length();
        if (waitingCharacters.addAndGet(characters) > WAITING_CHARACTERS || !cells.offer(request)) {
            waitingCharacters.addAndGet(-characters);
            return false;
        }
        return true;
    }

    private void taken(Message request) {
        waitingCharacters.addAndGet(-request.content().path("code").asText().length());
    }

    private void answer(Message request, Consumer<Message> sender) {
        try {
            status(request, "busy");
            respond(request, sender);
        } catch (RuntimeException | Error e) { // of a message that gets no reply, or of sending one
            LOG.error("{} failed", request.type(), e);
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
            LOG.error("not everything could be closed", e);
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
            LOG.error("{} failed", request.type(), e);
            answer = error(e.getClass().getName(), String.valueOf(e.getMessage()));
        }
        String type = request.type().replaceFirst("_request$", "") + "_reply";
        sender.accept(request.reply(type, answer));
    }

    private void runCells() {
        while (true) {
            try {
                Message request = cells.take();
                taken(request);
                execute(request);
            } catch (InterruptedException e) {
                // an interrupt that came between two cells
            } catch (RuntimeException | Error e) { // this thread's end would be the kernel's
                LOG.error("a cell's reply could not be made", e);
            }
        }
    }

    private void execute(Message request) {
        status(request, "busy");
        try {
            ObjectNode reply = executed(request);
            List<Message> aborted = new ArrayList<>();
            if (reply.path("status").asText().equals("error")
                    && request.content().path("stop_on_error").asBoolean(true)) {
                cells.drainTo(aborted); // before the reply: what is sent after it is to run
            }
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
            LOG.error("a cell failed", e);
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
        taken(request);
        status(request, "busy");
        connection.replyOnShell(request.reply(
                "execute_reply", Message.object().put("status", "aborted").put("execution_count", executions)));
        status(request, "idle");
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
