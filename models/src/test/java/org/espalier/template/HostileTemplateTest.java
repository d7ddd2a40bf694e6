package org.espalier.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.fuzz.Seeds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a template says: a text or a {@link TemplateException}, soon. */
class HostileTemplateTest {

    private static final Duration SOON = Duration.ofSeconds(30);

    /** Pieces of the language, so that what is put together from them often parses. */
    private static final List<String> PIECES = List.of(
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{%- ",
            " -%}",
            "{#",
            "#}",
            "{% for x in l %}",
            "{% endfor %}",
            "{% if x %}",
            "{% else %}",
            "{% endif %}",
            "{% set x = ",
            "{% macro m(a) %}",
            "{% endmacro %}",
            "{{ m(l) }}",
            "{% set ns = namespace() %}",
            "{% set ns.x = [ns.x, ns.x] %}",
            "{% call m(1) %}",
            "{% endcall %}",
            "{% raw %}",
            "{% endraw %}",
            "x",
            "l",
            "m",
            "ns",
            "s",
            "d",
            " + ",
            " * ",
            " ** ",
            " // ",
            " % ",
            " ~ ",
            " | ",
            " is ",
            " in ",
            " not ",
            " and ",
            " if ",
            " else ",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ".",
            ":",
            "=",
            "==",
            "<",
            "'",
            "\"",
            "\\",
            "\n",
            " ",
            "0",
            "-1",
            "9999999999",
            "1.5",
            "none",
            "true",
            "range(9)",
            "loop.index",
            "tojson",
            "length",
            "join",
            "map('upper')",
            "select",
            "sort",
            "indent",
            "replace('a', 'b')",
            "first",
            "items",
            "dictsort",
            "groupby('k')",
            "split('a')",
            "format",
            "defined",
            "mapping",
            "\uD83D",
            "\0");

    /** A template that works. */
    private static final String SOURCE = "{% set ns = namespace(n=0) %}{% macro show(m, i=1) %}{{ m.role | upper }}: "
            + "{{ m['content'].split('a')[-1] | trim | tojson(indent=2) }}{% endmacro %}\n"
            + "{%- for m in l if m is mapping %}{% set ns.n = ns.n + loop.index0 * 2 %}\n"
            + "  {% if m.role in ['user', 'system'] and not loop.last -%} {{ show(m) ~ ns.n }} {%- elif m.x is defined %}"
            + "{% break %}{% else %}{{ '%s' % m.role }}{{ l[1:][::-1] | map(attribute='role') | join(', ') }}{% endif %}\n"
            + "{% endfor %}{# end #}{{ d.items() | list }}{{ s[::2] if s else 'none' }}";

    @Test
    void endsInATextOrAnError() {
        Seeds.each(2000, random -> renderSoon(Seeds.text(random, PIECES, 1, 40)));
    }

    /** A part of the template is cut out or replaced. */
    @Test
    void survivesMutation() {
        Seeds.each(2000, random -> {
            int start = random.nextInt(SOURCE.length());
            int end = Math.min(SOURCE.length(), start + random.nextInt(21));
            renderSoon(SOURCE.substring(0, start) + Seeds.text(random, PIECES, 0, 3) + SOURCE.substring(end));
        });
    }

    @Test
    void theTemplateThatIsMutatedWorks() {
        assertThat(render(SOURCE)).contains("USER: \"hi\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
                "{{ 'x' * 999999999 }}",
                "{{ [0] * 999999999 }}",
                "{{ range(999999999) }}",
                "{{ range(-9223372036854775807, 9223372036854775807) }}",
                "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s | replace('x', 'xx') %}{% endfor %}",
                "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s.join(ns.s) %}{% endfor %}",
                "{% set ns = namespace(s=['x']) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
                "{% set ns = namespace(s=[], t=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
                "{% set ns = namespace(s=[], t=[]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s < ns.t }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro a() %}{% call a() %}{{ caller() }}{% endcall %}{% endmacro %}{{ a() }}",
                "{% for i in range(100000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 1000 }}{% endfor %}",
                "{% for i in range(100000) %}{% set x %}{{ 'x' * 1000000 }}{% endset %}{% endfor %}",
                "{% for i in range(100000) %}{% set x = ('x' * 1000000).find('y') %}{% endfor %}",
                "{% for i in range(100000) %}{% set x = 'xy' in 'x' * 1000000 %}{% endfor %}",
                "{{ range(1000000) | unique }}",
                "{{ '%999999999d' % 1 ~ ('%999999999d' % 1) * 99999 }}",
                "{{ 'x' | indent(999999999) * 99999999 }}",
                "{{ ('a\\n' * 1000000) | indent('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}",
                "{{ range(10 ** 12) }}",
                "{{ 'a' * 10 ** 9 }}",
                "{{ 10 ** 10 ** 10 }}",
                "{{ ('a' * 8000000 ~ 'b') in 'a' * 16000000 }}",
                "{{ ('a' * 16000000).replace('a' * 8000000 ~ 'b', '') }}",
                "{{ ('a' * 16000000).split('a' * 8000000 ~ 'b') | length }}",
                "{{ ('a' * 16000000).rfind('b' ~ 'a' * 8000000) }}",
                "{{ ('a' * 16000000).strip('b' * 8000000 ~ 'a') }}",
                "{{ ('a ' * 8000000).split() | length }}",
                "{{ ('a\\n' * 8000000).splitlines() | length }}",
                "{% set a = 'A' * 8000000 %}{{ ([a, 'y', a] * 300000) | sort | length }}",
                "{% set a = 'x' * 8000000 %}{{ ([a ~ 'y', a ~ 'z'] * 400000) | unique | length }}",
                "{% set a = 'x' * 8000000 %}{% set t = (a ~ 'z',) * 1000 %}{% for i in range(99999) %}{% if a.startswith(t) %}{% endif %}{% endfor %}",
                "{% set a = {'x' * 8000000: 1} %}",
                "{% set a = '\u00e9\u4e00' * 4000000 %}{% for i in range(999999) %}{% set n = a | length %}{% endfor %}",
                "{% for i in range(999999) %}{% set n = messages | map(attribute='.' * 1000000) | list %}{% endfor %}",
                "{{ strftime_now('%Y' * 8000000) }}",
                "{% set f = '%Y' * 100000 %}{% for i in range(99999) %}{% set n = strftime_now(f) %}{% endfor %}",
                "{% set a = '\u0001' * 4000000 %}{% for i in range(999) %}{% set n = [a] | string %}{% endfor %}",
                "{% set a = '\u0001' * 4000000 %}{% for i in range(999) %}{% set n = a | tojson %}{% endfor %}",
                "{{ ('&' * 8000000) | escape }}"
            })
    void stopsWhatUsesTooMuch(String source) {
        assertTimeoutPreemptively(
                SOON,
                () -> assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
                        .isInstanceOf(TemplateException.class));
    }

    /** Dear only in the number of digits, and cheap here. */
    @Test
    void readsLongNumbersSoon() {
        assertTimeoutPreemptively(SOON, () -> {
            assertThat(render("{{ ('9' * 9000000) | int(7) }}")).isEqualTo("7");
            assertThat(render("{{ '1e999999999' | int(7) }}")).isEqualTo("7");
            assertThat(render("{{ ('9' * 9000000) | float > 1 }}")).isEqualTo("True");
            assertThat(render("{{ '99999999999999999999' | int }}")).contains("does not fit into 64 bits");
            assertThat(render("{{ '%.999999999f' % 0.1 }}")).hasSizeLessThan(2000);
        });
    }

    @Test
    void stopsNesting() {
        for (String open : List.of("(", "[", "{1: ", "-", "not ", "a[", "a(", "a if ", "a | default(", "(a,")) {
            assertThatThrownBy(() -> Template.parse("{{ " + open.repeat(100_000)))
                    .isInstanceOf(TemplateException.class);
        }
        for (String open : List.of("{% if a %}", "{% for a in b %}", "{% set a %}", "{% macro a() %}", "{% with %}")) {
            assertThatThrownBy(() -> Template.parse(open.repeat(100_000))).isInstanceOf(TemplateException.class);
        }
        assertThatThrownBy(() -> Template.parse("{% set " + "(".repeat(100_000)))
                .isInstanceOf(TemplateException.class);
        for (String link : List.of(
                " + a", " ~ a", ".a", "[0]", "()", " | list", " and a", " or a", " == a", " if a", " is none")) {
            String chain = "{{ a" + link.repeat(20_000) + " }}";
            assertTimeoutPreemptively(SOON, () -> render(chain));
        }
    }

    /** On a stack that leaves no room for the usual depth. */
    @Test
    void stopsOnASmallStack() throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        String deep =
                "{% macro m(n) %}{{ [[n]] | map('first') | first | string | length + m(n) }}{% endmacro %}{{ m(1) }}";
        Thread thread = new Thread(null, () -> Template.parse(deep).render(Map.of()), "small", 128 << 10);
        thread.setUncaughtExceptionHandler((where, error) -> thrown.add(error));
        thread.start();
        thread.join(SOON.toMillis());
        assertThat(thrown).singleElement().isInstanceOf(TemplateException.class);
    }

    private static void renderSoon(String source) {
        assertTimeoutPreemptively(SOON, () -> render(source), source);
    }

    private static String render(String source) {
        try {
            return Template.parse(source)
                    .render(Map.of(
                            "l",
                            List.of(Map.of("role", "user", "content", "ahi"), Map.of("role", "x", "content", "")),
                            "d",
                            Map.of("k", 1),
                            "s",
                            "text",
                            "x",
                            2));
        } catch (TemplateException e) {
            return e.getMessage();
        }
    }
}
