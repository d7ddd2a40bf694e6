"""What the kernel does with a cell's values runs code of the notebook: it can be interrupted, and may stand inside code that runs."""


def interrupting(shared):
    """A hook that interrupts as soon as the notebook's code prints."""

    def take(message):
        if message["msg_type"] == "stream" and "going" in message["content"]["text"]:
            shared.manager.interrupt_kernel()

    return take


def test_an_interrupt_ends_the_text_of_a_result(shared):
    shared.ok('class Endless41 { public String toString() { System.out.println("going"); while (true) {} } }')
    assert shared.run("new Endless41()", timeout=60, hook=interrupting(shared)).error == "the cell was interrupted"
    assert shared.ok("1 + 1").result == "2"


def test_an_interrupt_ends_a_display_of_a_class_of_ones_own(shared):
    shared.ok("import org.dflib.jjava.jupyter.kernel.display.DisplayData;\nclass Endless42 implements Displayed { public DisplayData display() { System.out.println(\"going\"); while (true) {} } }")
    assert shared.run("new Endless42()", timeout=60, hook=interrupting(shared)).error == "the cell was interrupted"
    assert shared.ok("1 + 1").result == "2"


def test_vars_inside_a_loop(shared):
    cell = shared.ok("int looped43 = 7;\nfor (int i = 0; i < 2; i++) {\n  %vars\n}")
    assert [display["text/plain"].count("looped43") for display in cell.displays] == [1, 1]
    assert shared.ok("looped43").result == "7"
