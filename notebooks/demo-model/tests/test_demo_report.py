"""What the report makes of a run's files; it needs no PyTorch."""

import csv
import re

from report import course, svg
from report.samples import sums


def written(folder, steps):
    with open(folder / "log.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow("step tokens seconds rate loss gradient_norm tokens_per_second max_load min_load threads".split())
        writer.writerows([s, 100 * s, s, 0.1, 2.0 if s % 2 else 4.0, "", 1000, 1 + s / 1000, 0.5, 2] for s in range(1, steps + 1))
    return course.log(folder)


def test_the_thinned_log_has_means_and_no_line_of_a_few_steps(tmp_path):
    log = written(tmp_path, 5 * course.GROUP + 3)
    assert [row["step"] for row in log] == [20, 40, 60, 80, 103]  # the last three steps are in the last line
    assert [row["loss"] for row in log[:4]] == [3.0] * 4
    assert log[0]["max_load"] == 1.02  # the extreme of its twenty
    assert log[-1]["tokens"] == 10_300


def test_a_run_shorter_than_a_line_is_one_line(tmp_path):
    assert [row["step"] for row in written(tmp_path, 7)] == [7]


def test_a_run_that_went_on_from_a_checkpoint_keeps_the_lines_before_its_own(tmp_path):
    file = tmp_path / "older.csv"
    course.write([{"step": float(step), "loss": step / 8} for step in (20, 40, 60)], file)
    own = [{"step": 55, "loss": 2.5}, {"step": 70, "loss": 2.0}]
    for _ in range(2):  # written again, it stays the same
        rows = course.joined(file, own, 41)
        course.write(rows, file)
    assert file.read_text() == "step,loss\n20,2.5\n40,5\n55,2.5\n70,2\n"
    assert course.joined(file, own, 1) == own  # a run from nothing


def test_a_line_runs_between_its_ticks():
    chart = svg.lines("Loss <nats>", "tokens", {"loss": [(0, 9.0), (10, 1.0)]}, [1, 2, 3], 5)
    assert "Loss &lt;nats&gt;" in chart
    labels = re.findall(r">([\d.]+)</text>", chart)
    assert labels == ["1", "2", "3", "0", "5", "10"]
    (x0, y0), (x1, y1) = (point.split(",") for point in re.search(r'points="([^"]+)"', chart).group(1).split())
    ticks = [float(y) for y in re.findall(rf'd="M{svg.LEFT} ([\d.]+)H', chart)]
    assert float(y0) == ticks[-1] and float(y1) == ticks[0]  # 9 is cut to the highest tick


def test_sums_are_right_and_the_same_every_time():
    asked = sums(40)
    assert len(asked) == 40 and asked == sums(40)
    assert all(eval(prompt.removesuffix("=")) == int(answer) for prompt, answer in asked.items())
