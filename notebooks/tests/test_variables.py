"""A notebook's variables keep their values whatever is imported and redefined, and what cannot be kept is named."""

import pytest


def notes(cell):
    return "".join(text for name, text in cell.streams if name == "stderr")


def test_a_comment_above_an_import_costs_nothing(shared):
    shared.ok('var kept1 = new ArrayList<String>(List.of("a")); String kept1s = "hello";')
    assert notes(shared.ok("// statistics\nimport java.text.*;")) == ""
    assert shared.ok("kept1.size() + kept1s.length()").result == "6"
    shared.ok("import java.time.LocalDate; // dates\n\n/* and\n times */ import\n  java.time.format.*;\nkept1.add(LocalDate.of(2026, 1, 2).toString());")
    assert shared.ok("kept1").result == "[a, 2026-01-02]"


def test_an_import_that_changes_what_a_name_means_keeps_values(shared):
    shared.ok("List<Formatter> kept2 = new ArrayList<>(); Formatter gone2; gone2 = new Formatter();")
    told = notes(shared.ok("import java.util.logging.Formatter;"))  # until now it was java.util.Formatter
    assert told.startswith("gone2 was reset to null: its type was compiled again since import java.util.logging.Formatter changes what names mean")
    assert shared.ok("kept2").result == "[]"


def test_an_import_keeps_an_object_of_a_former_class(shared):
    shared.ok("class Former13 { int v = 1; } Object former13 = new Former13();")
    shared.ok("class Former13 { int w = 2; }")
    assert notes(shared.ok("import java.nio.charset.*;")) == ""
    assert shared.ok("former13 != null").result == "true"


def test_a_cluster_survives_imports(shared):
    try:
        shared.ok("%cluster local --nodes 1")
        shared.ok("\n// charts\nimport static java.lang.Math.*;\nimport java.awt.geom.*;\n")
        assert shared.ok("cluster.nodes().size() > 0").result == "true"
    finally:
        shared.ok("%cluster disconnect")


def test_a_variable_that_depends_on_another_keeps_its_value(shared):
    shared.ok("var base3 = 7; var kept3 = base3 + 1; var text3 = List.of(base3);")
    assert notes(shared.ok("var base3 = 100;")) == ""
    assert shared.ok("kept3 + text3.get(0)").result == "15"
    shared.ok('var base3 = "a text now";')
    assert shared.ok("kept3").result == "8"


def test_a_declaration_that_does_not_compile_leaves_the_old_one(shared):
    shared.ok("int kept4 = 5; int twice4(int a) { return 2 * a; } class Kept4 { int v = 3; } var object4 = new Kept4();")
    assert shared.run("int kept4 = undefined4;").status == "error"
    assert shared.run('int twice4(int a) { return "s"; }').status == "error"
    assert shared.run('class Kept4 { int v = "s"; }').status == "error"
    assert shared.ok("kept4 + twice4(object4.v)").result == "11"


def test_the_initial_value_is_not_computed_again(shared):
    shared.ok("int computed5 = 0; int count5() { return ++computed5; } int kept5 = count5();")
    assert shared.run("int kept5 = undefined5;").status == "error"
    assert shared.ok("kept5 + 10 * computed5").result == "11"


def test_objects_of_a_redefined_class_are_dropped_and_named(shared):
    shared.ok(
        "class Old6 { int v() { return 1; } }\n"
        "class Holder6 { Old6 old = new Old6(); int w() { return old.v() + 1; } }\n"
        "record Other6(int i) {}\n"
        "var held6 = new Holder6(); Holder6 typed6 = new Holder6();\n"
        "List<Old6> list6 = new ArrayList<>(List.of(new Old6())); List<Old6> empty6 = new ArrayList<>();\n"
        "Map<String, Optional<Old6[]>> deep6 = Map.of(\"k\", Optional.of(new Old6[] {new Old6()}));\n"
        "Function<Old6, Integer> code6 = Old6::v;\n"
        "List<Other6> others6 = List.of(new Other6(4)); int number6 = new Old6().v();"
    )
    told = notes(shared.ok("class Old6 { int v() { return 5; } }"))
    assert "list6 was reset to null: class Old6, of which it holds objects, was redefined" in told
    assert "deep6 was reset to null: class Old6, of which it holds objects, was redefined" in told
    assert "held6 was reset to null: class Holder6, of which it holds objects, was compiled again since class Old6 was redefined" in told
    assert "typed6 was reset to null" in told
    assert "code6 was reset to null: it holds code that was compiled before class Old6 was redefined" in told
    assert told.count("was reset") == 5
    assert shared.ok("held6 == null && typed6 == null && list6 == null && deep6 == null && code6 == null").result == "true"
    assert shared.ok("empty6.size() + others6.get(0).i() + number6").result == "5"
    assert shared.ok("new Holder6().w()").result == "6"


def test_a_class_run_again_unchanged_costs_nothing(shared):
    code = "class Same7 { int v = 3;\n int v() { return v; } }"
    shared.ok(code)
    shared.ok("var kept7 = new Same7();")
    assert notes(shared.ok("\n// now with a comment above\n" + code)) == ""
    assert shared.ok("kept7.v()").result == "3"


def test_what_no_longer_compiles_is_told_with_the_reason(shared):
    shared.ok("class Old8 { int v() { return 1; } }")
    shared.ok("class Uses8 {\n  int w() { return new Old8().v() + 1; }\n}\nint sum8() { return new Old8().v(); }")
    told = notes(shared.ok('class Old8 { String v() { return ""; } }'))
    assert "does not compile any more, since class Old8 was redefined" in told
    assert "line 2" in told and "incompatible types: String cannot be converted to int" in told
    error = shared.run("new Uses8().w()")
    assert "incompatible types: String cannot be converted to int" in error.traceback
    shared.ok("class Old8 { int v() { return 2; } }")
    assert shared.ok("new Uses8().w() + sum8()").result == "5"


def test_a_forward_reference_names_what_is_missing(shared):
    shared.ok("int first9(int i) { return second9(i); }")
    assert shared.run("first9(1)").error == "first9 cannot be used until method second9(int) is declared"
    shared.ok("int second9(int i) { return i; }")
    assert shared.ok("first9(1)").result == "1"


@pytest.mark.parametrize("kind", ["byte", "short", "int", "long", "float", "double"])
def test_primitives_of_every_kind_are_kept(shared, kind):
    shared.ok(f"var of10{kind} = 1; var kept10{kind} = ({kind}) (of10{kind} + 6);")
    shared.ok(f"var of10{kind} = 2;")
    assert shared.ok(f"kept10{kind} == 7").result == "true"


def test_a_lambda_and_an_anonymous_class_survive_an_import(shared):
    shared.ok("var seen11 = new ArrayList<String>(); Runnable run11 = () -> seen11.add(\"x\"); var nameless11 = new Object() { int q = 3; };")
    shared.ok("// more\nimport java.util.zip.*;")
    shared.ok("run11.run();")
    assert shared.ok("seen11.size() + nameless11.q").result == "4"


def test_a_static_method_may_change_its_signature(shared):
    shared.ok("static int changed12(int a) { return a; }")
    shared.ok("int caller12() { return changed12(1); }")
    told = notes(shared.ok('static String changed12(int a) { return "s" + a; }', timeout=30))
    assert "method caller12 does not compile any more, since method changed12 was redefined" in told
    assert shared.ok("changed12(1)").result == "s1"
    shared.ok("static int changed12(int a, int b) { return a + b; }", timeout=30)
    assert shared.ok("changed12(1, 2)").result == "3"


def test_a_declaration_run_again_begins_anew(shared):
    declarations = "int total14;\nList<String> names14;"
    shared.ok(declarations)
    shared.ok('total14 = 3; names14 = new ArrayList<>(List.of("a"));')
    shared.ok(declarations)
    assert shared.ok('total14 + " " + names14').result == "0 null"


def test_an_initial_value_that_fails_leaves_none(shared):
    shared.ok('String failing15 = "old"; int own15 = 4;')
    shared.ok("int own15 = own15 + 1;")
    assert shared.run("String failing15 = List.<String>of().get(0);").status == "error"
    assert shared.ok('failing15 + " " + own15').result == "null 1"


def test_code_from_before_an_import_sees_what_a_variable_holds_and_keeps_nothing(shared):
    shared.ok("import java.lang.ref.WeakReference;")
    shared.ok('Formatter other16 = null; Object big16 = new StringBuilder("a"); Supplier<Object> reads16 = () -> big16;')
    shared.ok("var weak16 = new WeakReference<>(big16);")
    shared.ok("import java.util.logging.Handler;\nimport java.text.*;")
    assert shared.ok("reads16.get() == big16 && weak16.get() == big16").result == "true"
    shared.ok('big16 = "b";')
    assert shared.ok("reads16.get()").result == "b"
    shared.ok("for (int i = 0; i < 100 && weak16.get() != null; i++) System.gc();")
    assert shared.ok("weak16.get() == null").result == "true"
