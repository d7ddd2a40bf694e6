package org.espalier.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TemplateTest {

    /** Every construct of the language against what Python's jinja2 gives; made by src/test/python/make_template_cases.py. */
    @Test
    void givesWhatJinjaGives() throws IOException {
        ObjectMapper json = new ObjectMapper();
        JsonNode golden;
        try (InputStream in = TemplateTest.class.getResourceAsStream("cases.json")) {
            golden = json.readTree(in);
        }
        Map<String, Object> variables = json.convertValue(golden.path("variables"), new TypeReference<>() {});
        assertThat(golden.path("cases")).hasSizeGreaterThan(100);
        List<String> different = new ArrayList<>();
        for (JsonNode example : golden.path("cases")) {
            String source = example.path("template").asText();
            String expected = example.path("text").textValue();
            String actual;
            try {
                actual = Template.parse(source).render(variables);
            } catch (TemplateException e) {
                actual = expected == null ? null : e.getMessage();
            }
            if (!Objects.equals(actual, expected)) {
                different.add(source + "\n  gives    " + actual + "\n  expected " + expected);
            }
        }
        assertThat(different).isEmpty();
    }

    @Test
    void namesTheLineAndWhatToDo() {
        refuses(
                "a\nb\n{{ x.y }}",
                "line 3 of the template: \"x\" is undefined: pass it as a variable or check the spelling");
        refuses("a\n{% if x %}\n", "line 2 of the template: a block is not closed: add {% endif %}");
        refuses("{% include 'x' %}", "line 1 of the template: {% include %} is not supported here");
        refuses("{{ 1 +\n* }}", "line 2 of the template: expected an expression, found \"*\"");
        refuses("{{ 'a' + 1 }}", "\"+\" does not work on a string and an integer: convert one of them");
        refuses("{{ 2 ** 64 }}", "the result of \"**\" does not fit into 64 bits");
        refuses("{{ 'x' | nope }}", "there is no filter \"nope\"");
        refuses("{{ [].append(1) }}", "\"append\" would change a list, which a template must not do");
        refuses(
                "{{ raise_exception('Only user and assistant roles') }}",
                "refuses this conversation: Only user and assistant roles");
    }

    @Test
    void tellsTheTime() {
        Clock clock = Clock.fixed(Instant.parse("2024-07-06T15:04:05Z"), ZoneOffset.UTC);
        String format = "%d %b %Y|%B %-d, %y|%H:%M:%S|%I %p|%A %a %j %F %% %m";
        assertThat(Template.parse("{{ strftime_now('" + format + "') }}").render(Map.of(), clock))
                .isEqualTo("06 Jul 2024|July 6, 24|15:04:05|03 PM|Saturday Sat 188 2024-07-06 % 07");
    }

    @Test
    void letsNoJavaObjectIn() {
        assertThatThrownBy(() -> Template.parse("").render(Map.of("x", new Object())))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("a variable of type java.lang.Object cannot go into a template");
        List<Object> endless = new ArrayList<>();
        endless.add(endless);
        assertThatThrownBy(() -> Template.parse("").render(Map.of("x", endless)))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("is it part of itself?");
        refuses("{{ ''.getClass() }}", "has no attribute or item \"getClass\"");
    }

    @Test
    void doesNotChangeWhatItIsGiven() {
        Map<String, Object> inner = new HashMap<>(Map.of("a", 1));
        Template.parse("{% set ns = namespace(x) %}{% set ns.a = 2 %}{{ ns.a }}")
                .render(Map.of("x", inner));
        assertThat(inner).containsExactly(Map.entry("a", 1));
    }

    private static void refuses(String source, String message) {
        assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining(message);
    }
}
