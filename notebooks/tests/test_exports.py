"""What nbconvert makes of an executed notebook with a chart, where Inkscape is not installed and nobody opened JupyterLab."""

import base64
import copy
import os
import re

import nbconvert
import nbformat
import notebook
import pytest

TABLE = (
    'var %s = Table.create("shares", StringColumn.create("language", "german", "german", "english"),'
    ' IntColumn.create("expert", 12, 3, 3), DoubleColumn.create("share", 0.75, 0.25, 0.5));\n'
    'Heatmap.of(%s, "language", "expert", "share").inPercent()'
)


@pytest.fixture(scope="module")
def executed(shared):
    """A notebook as a headless run leaves it; built from the kernel's messages."""
    code = TABLE % ("exportTable", "exportTable")
    cell = shared.ok(code)
    outputs = [nbformat.v4.output_from_msg(m) for m in cell.messages if m["msg_type"] in ("stream", "display_data", "execute_result")]
    info = shared.client.kernel_info(reply=True, timeout=30)["content"]["language_info"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, outputs=outputs, execution_count=1)], metadata={"language_info": info})
    nbformat.validate(made)
    return made


@pytest.fixture(autouse=True)
def no_inkscape(monkeypatch):
    monkeypatch.setattr("nbconvert.preprocessors.SVG2PDFPreprocessor._inkscape_default", lambda self: pytest.fail("asks for Inkscape"))


def export(executed, name):
    return nbconvert.get_exporter(name)().from_notebook_node(executed.copy())


def bundle(executed):
    return executed.cells[0].outputs[0].data


def test_html_shows_the_chart(executed):
    html, _ = export(executed, "html")
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html).group(1)
    svg = base64.b64decode(source).decode()
    assert "language german, expert 12: 75.0%" in svg and ">shares<" in svg
    assert 'role="img" aria-label="shares"' in svg  # what a screen reader says; nbconvert's own <img> takes no alternative text


def test_where_nbconvert_takes_alternative_text_it_has_the_title(executed):
    picture = copy.deepcopy(executed)
    del picture.cells[0].outputs[0].data["image/svg+xml"]
    html, _ = nbconvert.HTMLExporter(template_name="classic").from_notebook_node(picture)
    assert re.search(r'<img [^>]*alt="shares"', html)


def test_latex_gets_the_charts_own_pdf(executed):
    latex, resources = export(executed, "latex")
    [(name, pdf)] = [(name, data) for name, data in resources["outputs"].items() if name.endswith(".pdf")]
    assert pdf == base64.b64decode(bundle(executed)["application/pdf"]) and pdf.startswith(b"%PDF-1.4")
    assert "{" + name + "}" in latex


def test_a_script_is_the_code(executed):
    script, resources = export(executed, "script")
    assert script.strip() == executed.cells[0].source and resources["output_extension"] == ".jshell"


def test_without_a_font_a_chart_has_no_png_and_the_log_one_line(tmp_path):
    fonts = tmp_path / "fonts.conf"
    fonts.write_text('<?xml version="1.0"?><fontconfig><dir>/nonexistent</dir></fontconfig>')
    env = {
        **os.environ,
        "FONTCONFIG_FILE": str(fonts),
        "XDG_CACHE_HOME": str(tmp_path),
        "JAVA_TOOL_OPTIONS": f"-Duser.home={tmp_path}",  # where the JDK remembers which fonts there are
    }
    with notebook.running(env=env) as book:
        cells = [book.ok(TABLE % (name, name)) for name in ("first", "second")]
    for cell in cells:
        [data] = [m["content"]["data"] for m in cell.messages if m["msg_type"] == "execute_result"]
        assert {"image/svg+xml", "application/pdf", "application/vnd.vegalite.v5+json"} <= data.keys() and "image/png" not in data
    log = "".join(path.read_text() for path in tmp_path.glob("espalier/*.log"))
    assert log.count("charts have no PNG, as AWT has no font here") == 1
