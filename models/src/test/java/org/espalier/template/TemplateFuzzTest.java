package org.espalier.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.fuzz.Fuzzing;
import org.junit.jupiter.api.Test;

/** Damaged templates: a text or a {@link TemplateException}. */
class TemplateFuzzTest {

    /** A damaged template may well ask for a long text; ten strings of the allowed length are fine. */
    private static final long MAX_BYTES = 1L << 30;

    private static final String CHAT = "{% set ns = namespace(n=0) %}{% macro show(m, i=1) %}{{ m.role | upper }}: "
            + "{{ m['content'].split('a')[-1] | trim | tojson(indent=2) }}{% endmacro %}\n"
            + "{%- for m in messages if m is mapping %}{% set ns.n = ns.n + loop.index0 * 2 %}\n"
            + "  {% if m.role in ['user', 'system'] and not loop.last -%} {{ show(m) ~ ns.n }} {%- elif m.x is defined %}"
            + "{% break %}{% else %}{{ '%s' % m.role }}{{ messages[1:][::-1] | map(attribute='role') | join(', ') }}{% endif %}\n"
            + "{% endfor %}{# end #}{{ d.items() | list }}{{ s[::2] if s else 'none' }}{% raw %}{{ }}{% endraw %}"
            + "{{ strftime_now('%d %b %Y') }}{{ 'x'.rjust(3) if false }}{{ range(3) | sum }}";

    @Test
    void templates() throws IOException {
        List<byte[]> corpus = new ArrayList<>();
        corpus.add(CHAT.getBytes(StandardCharsets.UTF_8));
        try (InputStream in = TemplateFuzzTest.class.getResourceAsStream("cases.json")) {
            new ObjectMapper()
                    .readTree(in).findValues("template").stream()
                            .filter(JsonNode::isTextual)
                            .forEach(template -> corpus.add(template.asText().getBytes(StandardCharsets.UTF_8)));
        }
        Map<String, Object> variables = Map.of(
                "messages",
                List.of(Map.of("role", "user", "content", "a b"), Map.of("role", "x", "content", "")),
                "d",
                Map.of("k", 1),
                "s",
                "text",
                "x",
                2);
        Fuzzing.run(
                "template",
                corpus,
                MAX_BYTES,
                input -> Template.parse(new String(input, StandardCharsets.UTF_8))
                        .render(variables));
    }
}
