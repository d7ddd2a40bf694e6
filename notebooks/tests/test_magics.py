"""What is written after a magic: prompts as they are, options with a slip in them, values of variables."""

import pytest


@pytest.fixture(scope="module")
def demo(shared):
    """The shared kernel with a model for the tests of this file."""
    shared.ok("%model load demo --name magicsDemo")
    yield shared
    shared.ok("%cluster disconnect")


def prompt_tokens(demo, generate, max_tokens=3):
    """How many tokens of prompt a %generate had, by its trace: one position a token but the last."""
    demo.ok(generate)
    return int(demo.ok("cluster.trace().orElseThrow().positions()").result) - max_tokens + 1


def tokens_of(demo, text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return int(demo.ok(f'cluster.model().orElseThrow().tokenizer().orElseThrow().encodeWithBos("{escaped}").length').result)


@pytest.mark.parametrize(
    "prompt",
    [
        "What's the time?",
        'say "hello  world"  now',
        r"a \n b \\ c",
        "{none} and {{brace}} stay -n 5 --raw",
        "trailing blanks   ",
        'a lone " quote',
        "@file # $HOME // no comment",
    ],
)
def test_a_prompt_is_the_rest_of_its_line_byte_for_byte(demo, prompt):
    assert prompt_tokens(demo, f"%generate --raw --ignore-eos --max-tokens 3 {prompt}") == tokens_of(demo, prompt)


def test_two_dashes_end_the_options(demo):
    assert prompt_tokens(demo, "%generate --raw --ignore-eos --max-tokens 3 -- -n is no option") == tokens_of(demo, "-n is no option")
    refused = demo.run("%generate --raw - a list item")
    assert "%generate has no option - (a text that begins with - goes after --)" in refused.error


def test_a_prompt_on_the_line_and_another_below_is_an_error(demo):
    refused = demo.run("%%generate --raw first words\nand a body")
    assert refused.status == "error"
    assert "there is a prompt on the line of %%generate, 'first words', and another below it" in refused.error


def test_values_stand_in_options_and_only_with_fill_in_the_prompt(demo):
    demo.ok('int magicsCount = 4; String magicsWord = "ein Wort";')
    plain = "%generate --raw --ignore-eos --max-tokens {magicsCount} {magicsWord}"
    assert prompt_tokens(demo, plain, 4) == tokens_of(demo, "{magicsWord}")
    filled = "%generate --raw --fill --ignore-eos --max-tokens {magicsCount} {magicsWord} {{x}"
    assert prompt_tokens(demo, filled, 4) == tokens_of(demo, "ein Wort {x}")
    body = "%%generate --raw --fill --ignore-eos --max-tokens {magicsCount}\n{magicsWord}\n"
    assert prompt_tokens(demo, body, 4) == tokens_of(demo, "ein Wort\n")


def test_the_list_of_magics_has_its_name_of_other_kernels_too(shared):
    assert shared.ok("%lsmagic").displays == shared.ok("%magics").displays


def test_a_variable_that_is_not_there_is_named(shared):
    refused = shared.run("%model load {nowhere}")
    assert refused.error == "there is no variable nowhere for {nowhere}: {{nowhere} stands for {nowhere} itself"
    shared.ok("String magicsNull = null;")
    assert shared.run("%model load {magicsNull}").error == "the variable magicsNull of {magicsNull} is null"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%generate --temprature 0.7 hi", "%generate has no option --temprature: did you mean --temperature?"),
        ("%generate --max-tokens=5 --rw hi", "%generate has no option --rw: did you mean --raw?"),
        ("%generate --max-tokens many hi", "'many' is not an int"),
        ("%generate -nfive hi", "'five' is not an int"),
        ("%model load demo --presicion fast", "%model load has no option --presicion: did you mean --precision?"),
        ("%model load demo --precision fst", "%model load --precision takes float32 or fast, not 'fst': did you mean fast?"),
        ("%model load demo demo2", "%model load takes no 'demo2'"),
        ("%model lode demo", "%model has no 'lode': there are load, "),
        ("%model splt --plan", "%model has no 'splt': did you mean split?"),
        ("%cluster lcal", "%cluster has no 'lcal': did you mean local?"),
        ("%cluster disconnect now", "%cluster disconnect takes no 'now'"),
        ("%experts --form 3", "%experts has no option --form: did you mean --from?"),
    ],
)
def test_a_slip_is_told_in_two_lines(shared, code, says):
    cell = shared.run(code)
    assert cell.status == "error" and says in cell.error
    assert len(cell.error.splitlines()) <= 2 and "Usage" not in cell.traceback
