package org.espalier.engine.library;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.engine.Exchange;
import org.espalier.engine.Precision;
import org.espalier.engine.Step;
import org.espalier.program.Gate;
import org.espalier.program.Rope;
import org.espalier.program.Router;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The binding against {@code espalier.h}: functions, constants, the order of enums whose ordinals are written, and the result's layout. */
final class EspalierHeaderTest {

    private static String header;
    /** Without comments. */
    private static String code;

    @BeforeAll
    static void read() throws IOException {
        header = Files.readString(Path.of("src/main/c/espalier.h"));
        code = header.replaceAll("(?s)/\\*.*?\\*/", "");
    }

    private static List<MatchResult> all(String pattern) {
        return Pattern.compile(pattern).matcher(code).results().toList();
    }

    private static int constant(String name) {
        return Integer.decode(all("#define " + name + " (\\w+)").get(0).group(1));
    }

    @Test
    void constants() {
        assertThat(EspalierLibrary.VERSION).isEqualTo(constant("ES_VERSION"));
        assertThat(EspalierLibrary.ERROR_BYTES).isEqualTo(constant("ES_ERROR_BYTES"));
        assertThat(ProgramWords.MAGIC).isEqualTo(constant("ES_MAGIC"));
    }

    /** As Java has them: {@code int es_describe(Pointer, int)}. */
    private static String signature(String type, String name, Stream<String> parameters) {
        return type + " " + name + parameters.collect(joining(", ", "(", ")"));
    }

    private static String javaType(String declaration) {
        if (declaration.contains("*")) {
            return Pointer.class.getSimpleName();
        }
        return switch (declaration.strip().split("\\s+")[0]) {
            case "int32_t" -> "int";
            case "int64_t" -> "long";
            case "void" -> "void";
            default -> "no Java type for '" + declaration + "'";
        };
    }

    private static Map<String, String> exported() {
        Map<String, String> functions = new TreeMap<>();
        for (MatchResult function : all("ES_EXPORT ([\\w ]+?[ *]+)(es_\\w+)\\(([^)]*)\\)")) {
            Stream<String> parameters = function.group(3).strip().equals("void")
                    ? Stream.of()
                    : Arrays.stream(function.group(3).split(",")).map(EspalierHeaderTest::javaType);
            functions.put(function.group(2), signature(javaType(function.group(1)), function.group(2), parameters));
        }
        return functions;
    }

    private static Map<String, String> methods(Stream<Method> methods) {
        Map<String, String> found = new TreeMap<>();
        methods.forEach(method -> found.put(
                method.getName(),
                signature(
                        method.getReturnType().getSimpleName(),
                        method.getName(),
                        Arrays.stream(method.getParameterTypes()).map(Class::getSimpleName))));
        return found;
    }

    @Test
    void everyExportedFunctionIsBoundWithItsTypes() {
        Map<String, String> exported = exported();
        assertThat(exported)
                .hasSize(code.split("ES_EXPORT (?!__)[a-z]", -1).length - 1)
                .containsKey("es_run");
        assertThat(methods(Arrays.stream(EspalierLibrary.class.getDeclaredMethods())
                        .filter(method -> Modifier.isAbstract(method.getModifiers()))))
                .isEqualTo(exported);
        assertThat(methods(Arrays.stream(CpuLibrary.class.getDeclaredMethods())
                        .filter(method -> Modifier.isNative(method.getModifiers()))))
                .isEqualTo(exported);
    }

    /** Names and values of an enum. */
    private static Map<String, Integer> enumeration(String name) {
        Map<String, Integer> values = new LinkedHashMap<>();
        int next = 0;
        for (String constant :
                all("enum " + name + " \\{([^}]*)\\}").get(0).group(1).split(",")) {
            String[] parts = constant.strip().split("\\s*=\\s*");
            next = parts.length > 1 ? Integer.decode(parts[1]) : next;
            values.put(parts[0], next++);
        }
        return values;
    }

    private static Map<String, Integer> ordinals(Enum<?>[] constants, String format) {
        Map<String, Integer> values = new LinkedHashMap<>();
        for (Enum<?> constant : constants) {
            values.put(String.format(format, constant), constant.ordinal());
        }
        return values;
    }

    private static Map<String, Integer> withCount(Map<String, Integer> values, String name) {
        values.put(name, values.size());
        return values;
    }

    /** Two ops have the names of statuses. */
    private static Map<String, Integer> ops() {
        Map<String, Integer> ops = new LinkedHashMap<>();
        for (OpKind kind : OpKind.values()) {
            ops.put("ES_" + kind + (kind.name().startsWith("EXCHANGE") ? "_OP" : ""), kind.ordinal());
        }
        return withCount(ops, "ES_OPS");
    }

    private static Map<String, Integer> preparations() {
        Map<String, Integer> bits = new LinkedHashMap<>();
        for (Preparation preparation : EnumSet.complementOf(EnumSet.of(Preparation.PROFILE))) { // a word of its own
            bits.put("ES_" + preparation, ProgramWords.bit(preparation));
        }
        return bits;
    }

    private static Map<String, Integer> wants() {
        Map<String, Integer> bits = new LinkedHashMap<>();
        for (Step.Want want : Step.Want.values()) {
            bits.put("ES_" + want, StepWords.bit(want));
        }
        return bits;
    }

    static List<Arguments> enums() {
        return List.of(
                Arguments.of("es_status", ordinals(Status.values(), "ES_%s")),
                Arguments.of("es_element", ordinals(Element.values(), "ES_%s")),
                Arguments.of("es_format", ordinals(WeightWords.FormatKind.values(), "ES_%s")),
                Arguments.of("es_block", withCount(ordinals(Block.values(), "ES_%s"), "ES_BLOCKS")),
                Arguments.of("es_precision", ordinals(Precision.values(), "ES_%s")),
                Arguments.of("es_kv_type", ordinals(KvType.values(), "ES_KV_%s")),
                Arguments.of("es_preparation", preparations()),
                Arguments.of("es_cache_kind", ordinals(ProgramWords.CacheKind.values(), "ES_%s")),
                Arguments.of("es_want", wants()),
                Arguments.of("es_input", ordinals(StepWords.InputKind.values(), "ES_%s")),
                Arguments.of("es_logits_rows", Map.of("ES_NO_LOGITS", 0, "ES_LAST_LOGITS", 1, "ES_ALL_LOGITS", 2)),
                Arguments.of("es_op_kind", ops()));
    }

    @ParameterizedTest
    @MethodSource("enums")
    void enumsHaveTheSameConstants(String name, Map<String, Integer> java) {
        assertThat(java).isEqualTo(enumeration(name));
    }

    @Test
    void everyEnumOfTheHeaderIsCompared() {
        assertThat(all("enum (\\w+) \\{").stream().map(found -> found.group(1)))
                .containsExactlyInAnyOrderElementsOf(
                        enums().stream().map(row -> (String) row.get()[0]).toList());
    }

    /** Values that the header lists in words, as {@code scoring (0 sigmoid, 1 softmax)}. */
    @Test
    void ordinalsThatTheHeaderSpellsOut() {
        assertThat(listed(Step.Logits.values())).isEqualTo("0 none, 1 last, 2 all");
        assertThat(header)
                .contains("logits (0 none, 1 last, 2 all)")
                .contains("pairing (" + listed(Rope.Pairing.values()) + ")")
                .contains("scoring (" + listed(Router.Scoring.values()) + ")")
                .contains("function (" + listed(Gate.Function.values()) + ")")
                .contains("group score (0 top-2 sum, 1 max)");
        assertThat(listed(Router.Groups.Score.values())).isEqualTo("0 top2_sum, 1 max");
        assertThat(listed(Exchange.Outcome.values())).isEqualTo("0 done, 1 cancelled, 2 failed");
        assertThat(header.replaceAll("\\s+(\\* )?", " "))
                .contains("0 where the exchange is done, 1 where the group was cancelled, 2 where it failed");
    }

    private static String listed(Enum<?>[] constants) {
        return Arrays.stream(constants)
                .map(constant -> constant.ordinal() + " " + constant.name().toLowerCase(Locale.ROOT))
                .collect(joining(", "));
    }

    @Test
    void theResultHasItsFields() {
        List<String> fields = new ArrayList<>();
        String struct = all("struct es_result \\{([^}]*)\\}").get(0).group(1);
        for (String field : struct.strip().split(";")) {
            assertThat(field.strip()).startsWith("int64_t ");
            fields.add(field.strip().substring("int64_t ".length()));
        }
        assertThat(Arrays.stream(ResultField.values()).map(field -> field.name().toLowerCase(Locale.ROOT)))
                .isEqualTo(fields);
        assertThat(ResultField.BYTES).isEqualTo(fields.size() * Long.BYTES);
        assertThat(ResultField.EXCHANGE_BYTES.offset()).isEqualTo((fields.size() - 1) * Long.BYTES);
    }
}
