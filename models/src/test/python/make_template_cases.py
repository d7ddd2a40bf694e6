"""Renders small templates with Python's jinja2 and writes what it gives, as the reference of TemplateTest.

    python make_template_cases.py    (needs jinja2 3.1.6)

The settings are those of Hugging Face transformers. A case is a template, its variables and either a text or null for an error.
"""

import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES = {
    "s": "Hello World",
    "n": 7,
    "f": 1.5,
    "yes": True,
    "no": False,
    "nothing": None,
    "l": [3, 1, 2],
    "words": ["b", "a", "C"],
    "d": {"k": "v", "n": 2, "items": "own"},
    "users": [
        {"name": "Ann", "age": 30, "tags": ["x"]},
        {"name": "bob", "age": 25, "tags": []},
        {"name": "Cy", "age": 30, "tags": ["x", "y"]},
    ],
    "tricky": "a'b\"c\\d\n\té\U0001f600</s>",
}

TEMPLATES = """
{{ s }}|{{ n }}|{{ f }}|{{ yes }}|{{ nothing }}|{{ missing }}
{{ l }}|{{ d }}|{{ (1, 'a') }}|{{ (1,) }}|{{ () }}|{{ [] }}|{{ {} }}
{{ tricky }}|{{ [tricky] }}|{{ ["it's"] }}|{{ ['"'] }}
{{ 1 + 2 * 3 }}|{{ (1 + 2) * 3 }}|{{ 7 // 2 }}|{{ -7 // 2 }}|{{ 7 % 3 }}|{{ -7 % 3 }}|{{ 7 / 2 }}|{{ 8 / 2 }}|{{ 2 ** 10 }}|{{ 2 ** -1 }}
{{ 1.0 }}|{{ 1e16 }}|{{ 1e-5 }}|{{ 0.1 + 0.2 }}|{{ 123456789.125 }}|{{ 1e15 }}|{{ 0.0001 }}|{{ -0.0 }}|{{ 5.0 // 2 }}|{{ 2.5 % 1 }}
{{ 1 < 2 }}|{{ 1 < 2 < 3 }}|{{ 3 > 2 > 2 }}|{{ 'a' < 'b' }}|{{ 1 == 1.0 }}|{{ 'a' == 1 }}|{{ l == [3, 1, 2] }}|{{ yes == 1 }}|{{ nothing == none }}
{{ 1 < 'a' }}
{{ 'a' + 1 }}
{{ 'a' ~ 1 ~ none ~ missing ~ 1.5 }}|{{ 'ab' * 3 }}|{{ [1] * 2 + [2] }}|{{ (1,) + (2,) }}
{{ 'lo' in s }}|{{ 'x' not in s }}|{{ 3 in l }}|{{ 'k' in d }}|{{ 'v' in d }}|{{ not 3 in l }}|{{ 1 in (1, 2) }}|{{ 'a' in missing }}
{{ yes and no }}|{{ '' or 'x' }}|{{ 'x' and 'y' }}|{{ not '' }}|{{ nothing or 0 }}|{{ not not 1 }}
{{ 'a' if yes }}|{{ 'a' if no }}|{{ 'a' if no else 'b' }}|{{ 'a' if no else 'b' if no else 'c' }}
{{ l[0] }}|{{ l[-1] }}|{{ l[9] }}|{{ s[0] }}|{{ s[-1] }}|{{ d.k }}|{{ d['k'] }}
{{ d['items'] }}|{{ d.absent }}|{{ d['absent'] }}|{{ users[0].name }}|{{ users.0.name }}|{{ d.get('k') }}|{{ d.get('z') }}|{{ d.get('z', 5) }}
{{ l[1:] }}|{{ l[:1] }}|{{ l[::-1] }}|{{ l[-2:] }}|{{ s[::2] }}|{{ s[5:0:-1] }}|{{ l[5:] }}|{{ l[:-1] }}|{{ l[0:3:2] }}|{{ s[-3:-1] }}|{{ s[::-3] }}
{{ l[::0] }}
{{ missing.x }}
{{ missing['x'] }}
{{ missing() }}
{{ missing + 1 }}
{{ missing == missing }}|{{ missing is defined }}|{{ missing | length }}|{{ missing | default('d') }}|{{ '' | default('d') }}|{{ '' | default('d', true) }}|{{ nothing | d('x') }}
{% for x in l %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}
{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }};{% endfor %}
{% for x in [] %}x{% else %}none{% endfor %}|{% for x in missing %}x{% else %}none{% endfor %}
{% for x in l if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}none{% endfor %}|{% for x in l if x > 9 %}x{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for v in d.values() %}{{ v }}{% endfor %}{{ d.keys() | list }}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for c in 'héy' %}[{{ c }}]{% endfor %}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for x in l %}{% for y in l %}{{ loop.index }}{% if y == 1 %}{% break %}{% endif %}{% endfor %}{{ loop.index }};{% endfor %}
{{ range(3) | list }}|{{ range(1, 4) | list }}|{{ range(6, 0, -2) | list }}|{{ range(0) | list }}
{{ range(100000000) | list }}
{% set x = 1 %}{% for i in l %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}
{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}
{% set ns = namespace(x=1, y='a') %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns.z }}
{% set d.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t = 1, 2 %}{{ t }}
{% set t %}a{{ n }}b{% endset %}{{ t }}|{% set t | upper %}a{{ n }}b{% endset %}{{ t }}
{% macro m(a, b='x', c=a) %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=3) }}{{ m(b=1, a=2) }}{{ m() }}
{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}
{% macro m(a) %}{% if a > 0 %}{{ a }}{{ m(a - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro m(a) %}{{ m(a + 1) }}{% endmacro %}{{ m(0) }}
{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}{% for x in [9] %}{{ m() }}{% endfor %}
{% macro m(t) %}<{{ t }}>{{ caller('q') }}</{{ t }}>{% endmacro %}{% call(x) m('b') %}in {{ x }}{% endcall %}
{% macro m(t) %}{{ t }}{% endmacro %}{{ m('<b>') | upper }}|{{ m('a') ~ 'b' }}|{{ m('ab') | length }}
{% filter upper %}a{{ s }}{% endfilter %}|{% filter trim | upper %}  a {% endfilter %}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% if no %}a{% elif nothing %}b{% elif yes %}c{% else %}d{% endif %}|{% if no %}a{% else %}d{% endif %}
{% raw %}{{ x }}{% if %}{% endraw %}|{#- comment -#} x {# {{ more }} #}y
a {%- if yes -%} b {%- endif -%} c|{{- ' d ' -}} |e {{ 1 -}} f
{{ n is number }}|{{ f is number }}|{{ s is string }}|{{ d is mapping }}|{{ l is sequence }}|{{ s is iterable }}|{{ n is iterable }}|{{ l is mapping }}
{{ nothing is none }}|{{ n is none }}|{{ yes is true }}|{{ yes is false }}|{{ 1 is true }}|{{ n is odd }}|{{ n is even }}|{{ n is divisibleby 7 }}|{{ n is divisibleby(2) }}
{{ n is integer }}|{{ f is float }}|{{ yes is boolean }}|{{ yes is integer }}|{{ n is eq 7 }}|{{ n is gt 3 }}|{{ n is in [7] }}|{{ n is not in [7] }}|{{ n is not defined }}|{{ range is callable }}
{{ 'a' is upper }}|{{ 'A' is upper }}|{{ 'a' is lower }}|{{ yes is sameas true }}|{{ not n is none }}|{{ n is defined and n is number }}|{{ missing is undefined }}
{{ n is unknown }}
{{ n | unknown }}
{% if no %}{{ n | upper }}{% endif %}ok
{{ s | upper }}|{{ s | lower }}|{{ 'hello wORLD x-y' | title }}|{{ 'hELLO' | capitalize }}|{{ '  a ' | trim }}|{{ 'xxaxx' | trim('x') }}|{{ s | replace('l', 'L') }}|{{ s | replace('l', 'L', 1) }}
{{ s | length }}|{{ l | count }}|{{ '😀é' | length }}|{{ d | length }}|{{ 5 | string + 'x' }}|{{ l | first }}|{{ l | last }}|{{ [] | first }}|{{ s | first }}
{{ l | join(', ') }}|{{ l | join }}|{{ users | join(', ', attribute='name') }}|{{ l | sort }}|{{ words | sort }}|{{ words | sort(case_sensitive=true) }}|{{ l | sort(reverse=true) }}|{{ users | sort(attribute='age') | map(attribute='name') | list }}
{{ l | sum }}|{{ users | map(attribute='age') | sum }}|{{ l | min }}|{{ l | max }}|{{ l | reverse | list }}|{{ 'abc' | reverse }}|{{ [1, 2, 1] | unique | list }}|{{ words | map('upper') | list }}|{{ [] | sum }}
{{ users | selectattr('age', 'eq', 30) | map(attribute='name') | list }}|{{ users | rejectattr('tags') | map(attribute='name') | list }}|{{ l | select('gt', 1) | list }}|{{ l | reject('odd') | list }}|{{ [0, 1, ''] | select | list }}
{{ users | selectattr('age', 'equalto', 25) | list | length }}|{{ users | map(attribute='zip', default='?') | join }}|{{ d | dictsort }}|{{ d | items | list }}|{{ [1, 2, 3] | batch(2) | list }}
{% for age, group in users | groupby('age') %}{{ age }}:{{ group | map(attribute='name') | join('+') }};{% endfor %}
{{ '42' | int }}|{{ 'x' | int }}|{{ 'x' | int(5) }}|{{ 3.9 | int }}|{{ '1.5' | float }}|{{ -3 | abs }}|{{ 2.567 | round(2) }}|{{ 2.5 | round }}|{{ 2.1 | round(0, 'ceil') }}|{{ '3.7' | int }}|{{ true | int }}
{{ tricky | tojson }}|{{ d | tojson }}|{{ [1, 1.5, none, true, 'é'] | tojson }}|{{ [] | tojson }}|{{ {} | tojson(indent=2) }}|{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}|{{ 'é' | tojson(ensure_ascii=true) }}
{{ {'a': [1, {'b': 2}], 'c': []} | tojson(indent=4) }}|{{ [1, 2] | tojson(separators=(',', ':')) }}|{{ {1: 2} | tojson }}
{{ missing | tojson }}
{{ range | tojson }}
{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\nb' | indent('> ') }}
{{ '<a href="x">' | e }}|{{ '<b>' | safe }}|{{ 'a b  c' | wordcount }}|{{ '%s-%d' | format('a', 3) }}
{{ s.split() }}|{{ 'a,b,,c'.split(',') }}|{{ 'a,b,c'.split(',', 1) }}|{{ ' a  b c '.split(none, 1) }}|{{ 'a,b,c'.rsplit(',', 1) }}|{{ 'a b c'.rsplit() }}|{{ 'a\\nb\\r\\nc'.splitlines() }}|{{ 'abc'.split('z')[-1] }}
{{ s.startswith('He') }}|{{ s.endswith(('x', 'ld')) }}|{{ '  x '.strip() ~ '|' ~ 'xxyxx'.lstrip('x') ~ '|' ~ 'xxyxx'.rstrip('x') }}|{{ 'abc'.strip('ac') }}|{{ s.upper() }}|{{ s.title() }}|{{ s.replace('o', '0', 1) }}|{{ 'ab'.replace('', '-') }}
{{ s.find('World') }}|{{ s.find('z') }}|{{ s.rfind('o') }}|{{ s.count('l') }}|{{ '-'.join(['a', 'b']) }}|{{ '12'.isdigit() }}|{{ 'ab'.isalpha() }}|{{ ' '.isspace() }}|{{ 'A'.isupper() }}|{{ 'prefix'.removeprefix('pre') }}|{{ 'hELLO'.capitalize() }}
{{ '{} {}'.format(1, 'a') }}|{{ '{0}{1}{0} {x} {{}}'.format('a', 'b', x='c') }}|{{ '%s %r %5d|%-5d|%05d %.2f %%' % ('a', 'b', 1, 2, 3, 1.005) }}|{{ '%s' % 'x' }}
{{ '%d' % 'x' }}
{{ '%s %s' % ('x',) }}
{{ l.append(4) }}
{{ d.update({'a': 1}) }}
{{ s.nope }}|{{ s.nope is defined }}|{{ l.index(1) }}|{{ l.count(3) }}
{{ s.nope() }}
{{ s.__class__ }}
{{ ''.__class__.__mro__ }}
{{ raise_exception('no!') }}
{{ 1 / 0 }}
{{ 'a' 'b' }}|{{ "q\\"q" }}|{{ 'u\\u00e9\\x41' }}|{{ '\\q' }}|{{ 1_000 }}|{{ -n }}|{{ +n }}|{{ - -n }}|{{ -3 | abs }}|{{ 2 ** 3 ** 2 }}
{{ {'a': {'b': 1}}['a']['b'] }}|{{ {'a': 1}.a }}|{{ [1, [2, 3]][1][0] }}|{{ (1, 2)[1] }}|{{ {1: 'x'}[1] }}|{{ {'a': 1,} }}
{{ dict(a=1, b=2) }}|{{ 1, 2 }}
{{ loop }}|{{ namespace().x }}|{{ true }}{{ True }}{{ none }}{{ None }}
{{ (
{% if %}
{% for x %}{% endfor %}
{% if yes %}
{% endif %}
{% unknown %}
{{ 1 + }}
{{ 'abc }}
{# open
{% break %}
{{ a b }}
{{ n | }}
{{ $ }}
{% set true = 1 %}
{% generation %}
{{ f(**d) }}
{{ 'a<'|safe + 'b<' }}|{{ 'b<' + 'a<'|safe }}|{{ 'a<'|safe ~ 'b<' }}|{{ ('a<'|e) + '<' }}|{{ 'a'|safe + 'b"' + "c'" }}
{{ nothing | selectattr('x') | list }}|{{ nothing | map('upper') | list }}|{{ none | reject('none') | list }}
{{ '12.7' | int }}|{{ '1e3' | int }}|{{ 'x' | int(5) }}|{{ ' 12 ' | int }}|{{ '1d' | float }}|{{ 'nan' | int(3) }}|{{ '' | int }}|{{ '0x10' | int }}
{{ s[2:5] }}|{{ s[-3:] }}|{{ s[:-3] }}|{{ s[5:2] }}|{{ s[::2] }}|{{ s[::-1] }}|{{ s[100:] }}|{{ s[-100:3] }}|{{ tricky[10:12] }}
{{ '\\uffff' < '\\U0001f600' }}|{{ '\\ud7ff' < '\\uffff' }}|{{ 'ab' < 'abc' }}|{{ '' < 'a' }}|{{ ['\\ufb01', '\\U0001f600', 'a'] | sort }}
{{ 'a-b-c'.rsplit('-', 1) }}|{{ 'a-b'.partition('-') }}|{{ 'a-b-c'.rpartition('-') }}|{{ 'ab'.partition('-') }}|{{ 'ab'.rpartition('-') }}
{{ 'x'.ljust(3) }}|{{ 'x'.rjust(3) }}|{{ 'x'.center(4) }}|{{ 'xy'.center(5, '*') }}|{{ 'xyz'.center(6) }}|{{ '5'.zfill(3) }}|{{ '-5'.zfill(4) }}
{{ 'abc'.index('c') }}|{{ 'abcb'.rindex('b') }}|{{ '12'.isnumeric() }}|{{ '1'.isdecimal() }}|{{ users | sum(attribute='age') }}|{{ l | batch(2, 'x') | list }}
{{ 'abc'.index('z') }}
""".strip("\n").split("\n")

# White space control needs real newlines.
TEMPLATES += [
    "a\n{% if yes %}\nb\n{% endif %}\nc\n",
    "a\n  {% if yes %}  \n  b\n  {% endif %}\nc\n\n",
    "a\n  {%- if yes -%}  \n  b\n  {%- endif -%}\nc",
    "a\n  {%+ if yes %}\n  b {% endif +%}\nc",
    "  {# comment #}\n  x {# comment #}\ny\n  {#- c -#}\n z",
    "{% for x in l %}\n  {{ x }}\n{% endfor %}\n",
    "{% for x in l -%}\n  {{ x }}\n{%- endfor %}\n",
    "{{ n }}\n{{ n }}\n\n{{ n -}}\n\n{{- n }}\n",
    "\n  {% set x = 1 %}  {% set y = 2 %}\n  {{ x }}{% set z = 3 %}\n\t{% set z = 3 %}\n.",
    "a {% raw %}\n {{ x }} \n{% endraw %}\n b",
    "a {%- raw -%}  {% x %}  {%- endraw -%}  b",
    "a\r\nb\r{{ n }}\r\n",
    "x\n{{ 'a\nb' }}\n",
    "{%- if yes %}\n\n  a\n{%- endif %}\n  \n  {%- if yes %}b{% endif %}",
    "{{\n  n\n  +\n  1\n}}",
    "{% macro m() %}\n  a\n{% endmacro %}\n{{ m() }}b",
]


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def main():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols, jinja2.ext.do]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = refuse
    cases = []
    for template in TEMPLATES:
        try:
            text = environment.from_string(template).render(**VARIABLES)
        except (Exception, RecursionError):
            text = None
        cases.append({"template": template, "text": text})
    out = pathlib.Path(__file__).parent.parent / "resources/org/espalier/template/cases.json"
    out.write_text(json.dumps({"variables": VARIABLES, "cases": cases}, indent=1, ensure_ascii=False) + "\n")
    print(len(cases), "cases,", sum(case["text"] is None for case in cases), "of them errors")


if __name__ == "__main__":
    main()
