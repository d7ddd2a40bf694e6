package org.espalier.kernel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.channels.ClosedByInterruptException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.dflib.jjava.jupyter.Extension;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.espalier.EspalierException;
import org.espalier.kernel.display.CurrentCell;
import org.espalier.kernel.display.DisplayHandle;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.display.Values;
import org.espalier.kernel.extension.Extensions;
import org.espalier.kernel.jshell.Ansi;
import org.espalier.kernel.jshell.CodeAssist;
import org.espalier.kernel.jshell.CodeFailure;
import org.espalier.kernel.jshell.JavaSession;
import org.espalier.kernel.jshell.SnippetNames;
import org.espalier.kernel.jshell.StandardStreams;
import org.espalier.kernel.jupyter.Cell;
import org.espalier.kernel.jupyter.Dispatcher;
import org.espalier.kernel.jupyter.Displays;
import org.espalier.kernel.jupyter.Failures;
import org.espalier.kernel.jupyter.Message;
import org.espalier.kernel.jupyter.Requests;
import org.espalier.kernel.magic.Magics;
import org.espalier.kernel.magic.NotebookCluster;
import org.espalier.kernel.magic.RemedyMagics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One notebook's session: its Java, its magics, its cluster. */
final class Notebook implements Requests {

    private static final Logger LOG = LoggerFactory.getLogger(Notebook.class);

    private final CompletableFuture<JavaSession> java;
    private final NotebookCluster cluster = new NotebookCluster();
    private final Magics magics = new Magics(cluster, Extensions.install(ServiceLoader.load(Extension.class)));
    private final MagicAssist magicAssist = new MagicAssist(magics, cluster);
    private final History history = new History();
    private final Values values = new Values();
    private final CellStreams streams;
    private final CellInput input;

    /** The thread that runs a cell now, to be interrupted. */
    private Thread running;

    /** @param java comes up while the first requests are answered already */
    Notebook(CompletableFuture<JavaSession> java, CellStreams streams, CellInput input) {
        this.java = java;
        this.streams = streams;
        this.input = input;
    }

    /** See {@link JavaSession#readable}; what is printed before Java is there names none of its classes. */
    String readable(String text) {
        return java.isDone() ? java.join().readable(text) : text;
    }

    private CodeAssist assist() {
        return new CodeAssist(java.join());
    }

    @Override
    public ObjectNode kernelInfo() {
        ObjectNode info = Dispatcher.ok();
        String version = Optional.ofNullable(Notebook.class.getPackage().getImplementationVersion())
                .orElse("0.1");
        info.put("protocol_version", Message.PROTOCOL);
        info.put("implementation", "espalier");
        info.put("implementation_version", version);
        info.put(
                "banner",
                "Espalier " + version + ", Java " + Runtime.version() + ". %magics lists what there is beside Java.");
        info.put("debugger", false);
        info.putObject("language_info")
                .put("name", "java")
                .put("version", Runtime.version().toString())
                .put("mimetype", "text/x-java")
                .put("file_extension", ".jshell")
                .put("pygments_lexer", "java")
                .put("codemirror_mode", "text/x-java");
        info.putArray("help_links");
        return info;
    }

    @Override
    public ObjectNode execute(Cell cell) {
        streams.begin(cell);
        input.begin(cell);
        CurrentCell.begin(output(cell));
        synchronized (this) {
            running = Thread.currentThread();
        }
        cell.announce();
        String shown = null;
        try {
            shown = run(cell);
            ObjectNode reply = Dispatcher.ok();
            reply.putArray("payload");
            reply.set("user_expressions", userExpressions(cell.userExpressions()));
            return reply;
        } catch (CodeFailure e) {
            return failure(e.name(), String.valueOf(e.getMessage()), e.traceback());
        } catch (EspalierException e) {
            if (isInterrupt(e)) { // it says that a file cannot be read
                return interrupted();
            }
            LOG.info("cell failed", e);
            String sentence = RemedyMagics.sentence(e);
            return failure(e.getClass().getSimpleName(), sentence, List.of(Ansi.strong(sentence)));
        } catch (InterruptedException e) {
            return interrupted();
        } catch (RuntimeException | Error e) {
            Failures.log(LOG, "cell failed", e);
            return failure(
                    e.getClass().getName(),
                    String.valueOf(e.getMessage()),
                    List.of(
                            Ansi.strong(e.toString()),
                            "This is a defect of the kernel: its log " + KernelLog.file() + " has more."));
        } finally {
            streams.end();
            synchronized (this) {
                running = null;
                Thread.interrupted(); // an interrupt that came too late belongs to no later cell
            }
            if (cell.stored()) {
                history.add(cell.count(), cell.code(), shown);
            }
        }
    }

    static boolean isInterrupt(Throwable failure) {
        return failure instanceof ClosedByInterruptException
                || failure.getCause() != null && isInterrupt(failure.getCause());
    }

    private ObjectNode interrupted() {
        streams.hurry();
        return failure("KeyboardInterrupt", "the cell was interrupted", List.of(Ansi.strong("interrupted")));
    }

    private ObjectNode failure(String name, String message, List<String> traceback) {
        ObjectNode reply = Dispatcher.error(name, message);
        ArrayNode lines = (ArrayNode) reply.get("traceback");
        traceback.forEach(lines::add);
        return reply;
    }

    /** Runs all parts of a cell and returns the text of its value; null for none. */
    private String run(Cell cell) throws CodeFailure, InterruptedException {
        Optional<Object> result = new CellExecution(java.join(), magics, output(cell), cell.count()).run(cell.code());
        if (result.isEmpty() || result.get() instanceof DisplayHandle) { // it has been shown
            return null;
        }
        DisplayData shown = display(result.get());
        cell.result(shown);
        return String.valueOf(shown.getData(MIMEType.TEXT_PLAIN));
    }

    /** @throws CodeFailure where the value's own {@code toString()} fails, with whatever it throws */
    private DisplayData display(Object value) throws CodeFailure, InterruptedException {
        if (isPlain(value)) {
            return values.render(value);
        }
        try {
            return java.join().runStoppable(() -> values.render(value));
        } catch (CodeFailure e) {
            String message =
                    "the value, of " + SnippetNames.clean(value.getClass().toString()) + ", cannot be shown: "
                            + e.name() + (e.getMessage().isEmpty() ? "" : ": " + e.getMessage());
            throw new CodeFailure(e.name(), message, List.of(Ansi.strong(message)));
        }
    }

    /** Whether no code of the notebook or of a library runs to show it, which could have to be stopped. */
    private static boolean isPlain(Object value) {
        return value instanceof String
                || value instanceof Boolean
                || value instanceof Character
                || value instanceof Number && value.getClass().getPackageName().equals("java.lang");
    }

    private Output output(Cell cell) {
        return new Output() {
            @Override
            public void print(String text) {
                StandardStreams.out().print(text);
            }

            @Override
            public void display(DisplayData data) {
                cell.display(data);
            }

            @Override
            public void update(DisplayData data) {
                cell.update(data);
            }

            @Override
            public void clear() {
                cell.clear();
            }
        };
    }

    private ObjectNode userExpressions(ObjectNode expressions) throws InterruptedException {
        ObjectNode answers = expressions.objectNode();
        for (Map.Entry<String, JsonNode> expression : expressions.properties()) {
            try {
                Optional<Object> result = java.join().run(expression.getValue().asText());
                DisplayData value = result.isPresent() ? display(result.get()) : new DisplayData("null");
                answers.set(expression.getKey(), Displays.json(value).put("status", "ok"));
            } catch (CodeFailure e) {
                answers.set(expression.getKey(), Dispatcher.error(e.name(), String.valueOf(e.getMessage())));
            }
        }
        return answers;
    }

    @Override
    public ObjectNode complete(String code, int cursor) {
        CodeAssist.Completion completion = magicAssist.complete(code, cursor, java -> assist().complete(java, cursor));
        ObjectNode reply = Dispatcher.ok();
        completion.matches().forEach(reply.putArray("matches")::add);
        reply.put("cursor_start", code.codePointCount(0, completion.start()));
        reply.put("cursor_end", code.codePointCount(0, cursor));
        reply.putObject("metadata");
        return reply;
    }

    @Override
    public ObjectNode inspect(String code, int cursor, int detail) {
        List<String> found = magicAssist.document(
                code,
                cursor,
                java -> detail > 0 ? assist().documentWithSource(java, cursor) : assist().document(java, cursor));
        ObjectNode reply = Dispatcher.ok().put("found", !found.isEmpty());
        ObjectNode data = reply.putObject("data");
        if (!found.isEmpty()) {
            data.put("text/plain", String.join("\n\n", found));
        }
        reply.putObject("metadata");
        return reply;
    }

    @Override
    public ObjectNode isComplete(String code) {
        CodeAssist.Whole whole = magicAssist.whole(code, java -> assist().whole(java));
        String status = switch (whole) {
            case COMPLETE -> "complete";
            case INCOMPLETE -> "incomplete";
            case INVALID -> "invalid";
        };
        ObjectNode reply = Message.object().put("status", status);
        return whole == CodeAssist.Whole.INCOMPLETE ? reply.put("indent", "") : reply;
    }

    @Override
    public ObjectNode history(ObjectNode request) {
        return history.reply(request);
    }

    @Override
    public void interrupt() {
        synchronized (this) {
            if (running != null) {
                streams.hurry(); // or it would wait for clients that do not read
                java.join().stop(); // first: an interrupted wait for Java must find it stopped
                running.interrupt(); // a magic waits, for instance for a generation
            }
        }
    }

    @Override
    public void shutdown() {
        interrupt();
        cluster.close();
    }
}
