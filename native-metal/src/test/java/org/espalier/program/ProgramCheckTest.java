package org.espalier.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.espalier.program.Spoiled.spoiled;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A program that makes sense passes; one thing spoiled, and the error names the op, the weight, what was expected and what was found. */
final class ProgramCheckTest {

    @TempDir
    Path directory;

    @Test
    void aProgramOfEveryOpPasses() {
        Program program = new Draft(directory).program();
        assertThat(program.check()).isSameAs(program);
        assertThat(program.ops().stream().map(Op::getClass).distinct())
                .hasSize(Op.class.getPermittedSubclasses().length);
    }

    static Stream<Arguments> views() {
        return Stream.of(
                spoiled("a slot without columns", d -> d.slots.set(6, 0), "program 'main' has a slot 0 wide"),
                spoiled(
                        "input in no slot",
                        d -> d.input = new View(8, 0, 8),
                        "program 'main' takes or yields columns 0 to 8 of slot 8, which lies in no slot"),
                spoiled(
                        "output of another width",
                        d -> d.output = Draft.X.columns(0, 4),
                        "program 'main' takes or yields 4 columns, expected 8"),
                spoiled(
                        "reads a slot that is missing",
                        d -> d.set(Draft.ADD, new Add(new View(9, 0, 8), Draft.MIXED, Draft.X)),
                        "program 'main', op 8, Add: reads columns 0 to 8 of slot 9, which lies in no slot"),
                spoiled(
                        "reads beyond its slot",
                        d -> d.set(Draft.ADD, new Add(new View(0, 4, 8), Draft.MIXED, Draft.X)),
                        "program 'main', op 8, Add: reads columns 4 to 12 of slot 0, which lies in no slot"),
                spoiled(
                        "writes before its slot",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.X, "norm", 1, 1, new View(1, -1, 8))),
                        "program 'main', op 1, RmsNorm of norm: writes columns -1 to 7 of slot 1, which lies in no slot"),
                spoiled(
                        "writes so far that the sum overflows",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.X, "norm", 1, 1, new View(1, Integer.MAX_VALUE, 8))),
                        "program 'main', op 1, RmsNorm of norm: writes columns 2147483647 to 2147483655 of slot 1,"
                                + " which lies in no slot"),
                spoiled(
                        "exchanges a slot that is missing",
                        d -> d.set(Draft.BEGIN_SUM, new ExchangeBegin(1, new View(9, 0, 8), new ExchangeBegin.Sum())),
                        "program 'main', op 5, ExchangeBegin: exchanges columns 0 to 8 of slot 9, which lies in no slot"),
                spoiled(
                        "gathers before its slot",
                        d -> d.set(
                                Draft.BEGIN_GATHER,
                                new ExchangeBegin(2, new View(4, -8, 8), new ExchangeBegin.Gather(List.of(5, 0, 3)))),
                        "program 'main', op 12, ExchangeBegin: exchanges columns -8 to 0 of slot 4, which lies in no slot"),
                spoiled(
                        "reads what nothing has written",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.MIXED, "norm", 1, 1, Draft.H)),
                        "program 'main', op 1, RmsNorm of norm: reads column 0 of slot 3, which nothing has written"),
                spoiled(
                        "reads more than was written",
                        d -> d.set(Draft.LINEAR, new Linear(Draft.H, Projection.of("scale"), Draft.QKV.columns(3, 1))),
                        "program 'main', op 3, Rotate: reads column 0 of slot 2, which nothing has written"),
                spoiled(
                        "yields what nothing has written",
                        d -> {
                            d.ops.remove(Draft.LOGITS);
                            d.output = new View(6, 0, 8);
                        },
                        "program 'main' yields columns 0 to 8 of slot 6, which nothing has written"),
                spoiled(
                        "has no last hidden state",
                        d -> d.output = new View(6, 0, 8),
                        "program 'main' yields columns 0 to 8 of slot 6, which nothing has written"));
    }

    static Stream<Arguments> widths() {
        return Stream.of(
                spoiled(
                        "adds other widths",
                        d -> d.set(Draft.ADD, new Add(Draft.X, Draft.MIXED.columns(0, 4), Draft.X)),
                        "program 'main', op 8, Add: b has 4 columns, expected 8"),
                spoiled(
                        "adds into what it reads, shifted",
                        d -> d.set(
                                Draft.ADD,
                                new Add(Draft.X.columns(0, 4), Draft.MIXED.columns(0, 4), Draft.X.columns(2, 4))),
                        "program 'main', op 8, Add: writes columns 2 to 6 of slot 0 while it reads columns 0 to 4 of slot 0"),
                spoiled(
                        "multiplies in place",
                        d -> d.set(Draft.LINEAR, new Linear(Draft.H, Projection.of("qkv"), Draft.H)),
                        "program 'main', op 2, Linear of qkv: writes columns 0 to 8 of slot 1 while it reads columns 0"
                                + " to 8 of slot 1"),
                spoiled(
                        "normalizes to another width",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.X, "norm", 1, 1, Draft.H.columns(0, 4))),
                        "program 'main', op 1, RmsNorm of norm: out has 4 columns, expected 8"),
                spoiled(
                        "groups that do not come out even",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.X, "norm", 1, 3, Draft.H)),
                        "program 'main', op 1, RmsNorm of norm: 8 columns in 3 groups"),
                spoiled(
                        "a norm that may divide by nothing",
                        d -> d.set(Draft.NORM, new RmsNorm(Draft.X, "norm", 0, 1, Draft.H)),
                        "program 'main', op 1, RmsNorm of norm: eps 0.0, expected more than 0"),
                spoiled(
                        "heads that do not come out even",
                        d -> d.set(Draft.ROTATE, new Rotate(Draft.Q, 3, 0, Draft.ROPE)),
                        "program 'main', op 3, Rotate: 8 columns for 3 heads"),
                spoiled(
                        "rotates more than a head has",
                        d -> d.set(Draft.ROTATE, new Rotate(Draft.Q, 2, 1, Draft.ROPE)),
                        "program 'main', op 3, Rotate: rotates columns 1 to 5 of heads 4 wide"),
                spoiled(
                        "rotates from so far that the sum overflows",
                        d -> d.set(Draft.ROTATE, new Rotate(Draft.Q, 2, Integer.MAX_VALUE, Draft.ROPE)),
                        "program 'main', op 3, Rotate: rotates columns 2147483647 to 2147483651 of heads 4 wide"),
                spoiled(
                        "a KV head that the key does not have",
                        d -> d.set(Draft.ATTENTION, Draft.attention(List.of(0, 1), 0)),
                        "program 'main', op 4, Attention of sinks: KV heads [0, 1] of a key with 1"),
                spoiled(
                        "a negative KV head",
                        d -> d.set(Draft.ATTENTION, Draft.attention(List.of(-1, 0), 0)),
                        "program 'main', op 4, Attention of sinks: KV heads [-1, 0] of a key with 1"),
                spoiled(
                        "no query heads",
                        d -> d.set(Draft.ATTENTION, Draft.attention(List.of(), 0)),
                        "program 'main', op 4, Attention of sinks: q of 8 columns for 0 heads"),
                spoiled(
                        "keys that are no whole heads",
                        d -> d.set(
                                Draft.ATTENTION,
                                new Attention(
                                        Draft.Q,
                                        Draft.QKV.columns(8, 3),
                                        Draft.V,
                                        List.of(0, 0),
                                        1,
                                        null,
                                        0,
                                        Draft.MIXED)),
                        "program 'main', op 4, Attention: k of 3 columns in heads of 4"),
                spoiled(
                        "sinks for other heads",
                        d -> d.weight("sinks", 1, 1, 3),
                        "program 'main', op 4, Attention of sinks: weight sinks is [1, 3], expected a vector [1, 2]"),
                spoiled(
                        "index heads of another width than the key",
                        d -> d.set(Draft.SELECT, new SelectRows(3, Draft.Q, Draft.K, Draft.V.columns(0, 3), 16, 2)),
                        "program 'main', op 16, SelectRows: q has 8 columns, expected 3 heads of 4"),
                spoiled(
                        "no row selected",
                        d -> d.set(Draft.SELECT, new SelectRows(3, Draft.Q, Draft.K, Draft.V.columns(0, 2), 0, 2)),
                        "program 'main', op 16, SelectRows: selects 0 rows, expected at least 1"),
                spoiled(
                        "a bias for another width",
                        d -> d.weight("keyBias", 1, 1, 3),
                        "program 'main', op 15, LayerNorm of keyNorm: weight keyBias is [1, 3], expected a vector [1, 4]"),
                spoiled(
                        "latent heads without columns",
                        d -> d.set(Draft.LATENT, Draft.latent(8, 1)),
                        "program 'main', op 17, LatentAttention of keyUp: q heads 1 wide, of which rope is 1"),
                spoiled(
                        "a gate of several columns",
                        d -> d.set(Draft.SCALE, new Gate(Draft.H.columns(0, 2), Gate.Function.SILU, Draft.SUM)),
                        "program 'main', op 11, Gate: gate has 2 columns, expected 1 or 8"),
                spoiled(
                        "key heads that are missing",
                        d -> d.set(Draft.DELTA, Draft.delta(List.of(0, 2), 4)),
                        "program 'main', op 20, GatedDeltaRule of aLog: key heads [0, 2] of a key with 2"),
                spoiled(
                        "a decay for each of three heads",
                        d -> d.weight("dt", 1, 1, 3),
                        "program 'main', op 20, GatedDeltaRule of aLog: weight dt is [1, 3], expected a vector [1, 2]"),
                spoiled(
                        "taps for too few channels",
                        d -> d.weight("rest", 1, 1, 3),
                        "program 'main', op 19, ShortConvolution of taps: x has 8 columns, expected 7"),
                spoiled(
                        "taps for other rows",
                        d -> d.weight("rest", 1, 2, 4),
                        "program 'main', op 19, ShortConvolution of taps: weight rest is [2, 4], expected [2, 3]"),
                spoiled(
                        "a factor for each column",
                        d -> d.set(Draft.FACTOR, new Scale(Draft.X, new Scale.Factor.Stored("norm"))),
                        "program 'main', op 18, Scale of norm: weight norm is [1, 8], expected a vector [1, 1]"),
                spoiled(
                        "a factor without bounds",
                        d -> d.set(Draft.FACTOR, new Scale(Draft.X, Float.POSITIVE_INFINITY)),
                        "program 'main', op 18, Scale: scales by Infinity"),
                spoiled(
                        "logits capped below 0",
                        d -> d.set(Draft.LOGITS, new Logits(Draft.X, "head", -1, Draft.Y)),
                        "program 'main', op 21, Logits of head: caps logits at -1.0, expected 0 or more"),
                spoiled(
                        "values for more heads than the keys have",
                        d -> d.set(
                                Draft.ATTENTION,
                                new Attention(
                                        Draft.Q,
                                        Draft.QKV.columns(4, 8),
                                        Draft.QKV.columns(12, 3),
                                        List.of(0, 1),
                                        1,
                                        null,
                                        0,
                                        Draft.MIXED)),
                        "program 'main', op 4, Attention: v of 3 columns for 2 KV heads"),
                spoiled(
                        "a result as wide as the query where values are not",
                        d -> d.set(
                                Draft.ATTENTION,
                                new Attention(
                                        Draft.Q,
                                        Draft.K,
                                        Draft.QKV.columns(12, 3),
                                        List.of(0, 0),
                                        1,
                                        null,
                                        0,
                                        Draft.MIXED)),
                        "program 'main', op 4, Attention: out has 8 columns, expected 6"),
                spoiled(
                        "gathers too many columns",
                        d -> d.set(Draft.BEGIN_GATHER, gather(5, 4)),
                        "program 'main', op 12, ExchangeBegin: gathers [5, 4] columns into 8"),
                spoiled(
                        "gathers less than nothing",
                        d -> d.set(Draft.BEGIN_GATHER, gather(9, -1)),
                        "program 'main', op 12, ExchangeBegin: gathers [9, -1] columns into 8"),
                spoiled(
                        "gathers so many that the sum overflows",
                        d -> d.set(Draft.BEGIN_GATHER, gather(Integer.MAX_VALUE, Integer.MAX_VALUE, 10)),
                        "program 'main', op 12, ExchangeBegin: gathers [2147483647, 2147483647, 10] columns into 8"));
    }

    private static ExchangeBegin gather(Integer... widths) {
        return new ExchangeBegin(2, Draft.SUM, new ExchangeBegin.Gather(List.of(widths)));
    }

    static Stream<Arguments> order() {
        return Stream.of(
                spoiled(
                        "embeds later",
                        d -> d.insert(1, new Embed("embed", Draft.H)),
                        "program 'main', op 1, Embed of embed: embeds after other ops"),
                spoiled(
                        "yields logits earlier",
                        d -> d.insert(Draft.MLP, d.ops.get(Draft.LOGITS)),
                        "program 'main', op 15, GatedMlp of sg: comes after the logits"),
                spoiled(
                        "yields logits again",
                        d -> d.insert(Draft.LOGITS, d.ops.get(Draft.LOGITS)),
                        "program 'main', op 22, Logits of head: yields logits again"),
                spoiled(
                        "reads logits",
                        d -> d.ops.add(new Add(Draft.Y, Draft.Y, Draft.Y)),
                        "program 'main', op 22, Add: touches the logits"),
                spoiled(
                        "adds up logits",
                        d -> d.ops.add(new ExchangeBegin(3, Draft.Y, new ExchangeBegin.Sum())),
                        "program 'main', op 22, ExchangeBegin: exchanges the logits otherwise than by gathering them once"),
                spoiled(
                        "yields logits while it exchanges",
                        d -> d.insert(Draft.LOGITS, new ExchangeBegin(3, Draft.H, new ExchangeBegin.Sum()))
                                .ops
                                .add(new ExchangeAwait(3)),
                        "program 'main', op 22, Logits of head: yields logits before the end of exchange [3]"),
                spoiled(
                        "yields logits elsewhere",
                        d -> {
                            d.slots.add(11);
                            d.set(Draft.LOGITS, new Logits(Draft.X, "head", new View(8, 0, 11)));
                        },
                        "program 'main', op 21, Logits of head: yields logits into another slot"),
                spoiled(
                        "yields logits from no op",
                        d -> d.ops.remove(Draft.LOGITS),
                        "program 'main' yields logits that nothing has written"),
                spoiled(
                        "logits that are not a slot",
                        d -> d.logits = new View(7, 0, 10),
                        "program 'main' yields columns 0 to 10 of slot 7 as logits, which is not a slot"),
                spoiled(
                        "logits where activations go out",
                        d -> d.logits = Draft.X,
                        "program 'main' takes or yields columns 0 to 8 of slot 0, where the logits are"),
                spoiled(
                        "no route",
                        d -> d.ops.remove(Draft.ROUTE),
                        "program 'main', op 9, Experts of g: takes the choice of layer 3, the last route before it is missing"),
                spoiled(
                        "a route of another layer",
                        d -> d.set(Draft.ROUTE, new Route(2, Draft.X, Projection.of("r"), null, Draft.ROUTER)),
                        "program 'main', op 10, Experts of g: takes the choice of layer 3, the last route before it is"
                                + " of layer 2"),
                spoiled(
                        "the same layer routed twice",
                        d -> d.insert(Draft.SCALE, d.ops.get(Draft.ROUTE)),
                        "program 'main', op 11, Route of r: routes layer 3 after layer 3"),
                spoiled(
                        "no selection",
                        d -> d.ops.remove(Draft.SELECT),
                        "program 'main', op 16, LatentAttention of keyUp: sees the rows that layer 3 chose, the last"
                                + " selection before it is missing"),
                spoiled(
                        "a selection of another layer",
                        d -> d.set(Draft.SELECT, Draft.select(2, 2)),
                        "program 'main', op 17, LatentAttention of keyUp: sees the rows that layer 3 chose, the last"
                                + " selection before it is of layer 2"),
                spoiled(
                        "rows selected backwards",
                        d -> {
                            d.caches.add(new Cache.Rows(4, 0));
                            d.insert(Draft.LATENT, Draft.select(1, 5));
                        },
                        "program 'main', op 17, SelectRows: selects rows of layer 1 after layer 3"),
                spoiled(
                        "rows selected from a window",
                        d -> d.caches.set(2, new Cache.Rows(4, 5)),
                        "program 'main', op 16, SelectRows: uses cache 2, Rows[width=4, window=5], expected one without a"
                                + " window"),
                spoiled(
                        "selected rows of a window",
                        d -> d.caches.set(1, new Cache.Rows(4, 5)),
                        "program 'main', op 17, LatentAttention of keyUp: uses cache 1, Rows[width=4, window=5], expected"
                                + " one without a window"),
                spoiled(
                        "layers routed backwards",
                        d -> d.insert(Draft.SCALE, new Route(1, Draft.X, Projection.of("r"), null, Draft.ROUTER)),
                        "program 'main', op 11, Route of r: routes layer 1 after layer 3"),
                spoiled(
                        "a cache for two ops",
                        d -> d.insert(Draft.BEGIN_SUM, d.ops.get(Draft.ATTENTION)),
                        "program 'main', op 5, Attention of sinks: uses cache 0, which another op uses"),
                spoiled(
                        "a cache that is missing",
                        d -> d.set(Draft.ATTENTION, Draft.attention(List.of(0, 0), 5)),
                        "program 'main', op 4, Attention of sinks: uses cache 5 of 5"),
                spoiled(
                        "a cache of another width",
                        d -> d.caches.set(0, new Cache.Rows(6, 0)),
                        "program 'main', op 4, Attention of sinks: uses cache 0, Rows[width=6, window=0], expected rows of 8"),
                spoiled(
                        "a state where rows are needed",
                        d -> d.caches.set(1, new Cache.State(4)),
                        "program 'main', op 17, LatentAttention of keyUp: uses cache 1, State[width=4], expected rows of 4"),
                spoiled(
                        "rows where a state is needed",
                        d -> d.caches.set(4, new Cache.Rows(8, 0)),
                        "program 'main', op 20, GatedDeltaRule of aLog: uses cache 4, Rows[width=8, window=0], expected a"
                                + " state of 8"),
                spoiled(
                        "a state of another width",
                        d -> d.caches.set(3, new Cache.State(8)),
                        "program 'main', op 19, ShortConvolution of taps: uses cache 3, State[width=8], expected a state"
                                + " of 16"),
                spoiled(
                        "a state for no op",
                        d -> d.caches.add(new Cache.State(8)),
                        "program 'main' has cache 5, which no op uses"),
                spoiled(
                        "a cache for no op",
                        d -> d.caches.add(new Cache.Rows(8, 0)),
                        "program 'main' has cache 5, which no op uses"),
                spoiled(
                        "an exchange without end",
                        d -> d.ops.remove(Draft.AWAIT_GATHER),
                        "program 'main', op 13, GatedMlp of sg: touches columns 0 to 8 of slot 4 while exchange 2 has it"),
                spoiled(
                        "an exchange at the end without end",
                        d -> d.set(Draft.LOGITS, new ExchangeBegin(3, Draft.X, new ExchangeBegin.Sum())),
                        "program 'main' never awaits exchange [3]"),
                spoiled(
                        "awaited twice",
                        d -> d.insert(Draft.ADD, new ExchangeAwait(1)),
                        "program 'main', op 8, ExchangeAwait: awaits exchange 1, which has not begun"),
                spoiled(
                        "awaited before",
                        d -> d.insert(Draft.BEGIN_SUM, new ExchangeAwait(1)),
                        "program 'main', op 5, ExchangeAwait: awaits exchange 1, which has not begun"),
                spoiled(
                        "begun twice",
                        d -> d.insert(Draft.GATE_LINEAR, new ExchangeBegin(1, Draft.H, new ExchangeBegin.Sum())),
                        "program 'main', op 6, ExchangeBegin: begins exchange 1 again"),
                spoiled(
                        "begun again later",
                        d -> d.set(Draft.BEGIN_GATHER, new ExchangeBegin(1, Draft.SUM, new ExchangeBegin.Sum()))
                                .set(Draft.AWAIT_GATHER, new ExchangeAwait(1)),
                        "program 'main', op 12, ExchangeBegin: begins exchange 1 again"),
                spoiled(
                        "read meanwhile",
                        d -> d.insert(Draft.GATE_LINEAR, new Add(Draft.MIXED, Draft.H, Draft.X)),
                        "program 'main', op 6, Add: touches columns 0 to 8 of slot 3 while exchange 1 has it"),
                spoiled(
                        "written meanwhile",
                        d -> d.insert(
                                Draft.GATE_LINEAR,
                                new Add(Draft.X.columns(0, 1), Draft.H.columns(0, 1), Draft.MIXED.columns(7, 1))),
                        "program 'main', op 6, Add: touches columns 7 to 8 of slot 3 while exchange 1 has it"),
                spoiled(
                        "exchanged twice at once",
                        d -> d.insert(Draft.GATE_LINEAR, new ExchangeBegin(3, Draft.MIXED, new ExchangeBegin.Sum())),
                        "program 'main', op 6, ExchangeBegin: touches columns 0 to 8 of slot 3 while exchange 1 has it"),
                spoiled(
                        "a sum of what nothing has written",
                        d -> d.insert(1, new ExchangeBegin(3, Draft.SUM, new ExchangeBegin.Sum())),
                        "program 'main', op 1, ExchangeBegin: reads column 0 of slot 4, which nothing has written"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"views", "widths", "order"})
    void oneThingSpoiledIsRefused(String what, Consumer<Draft> change, String sentence) {
        Spoiled.assertRefused(directory, change, sentence);
    }
}
