"""%maven, //DEPS and %jars, with repositories that the tests make themselves: nothing here needs a network."""

import base64
import contextlib
import hashlib
import http.server
import re
import subprocess
import threading

import jdk
import pytest

GROUP = "org.example.guard"


def jar(folder, name, source, version="1.0"):
    """A jar with one class of the package lib."""
    file = folder / "src" / version / "lib" / f"{name}.java"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"package lib;\n{source}\n")
    classes = folder / "classes" / f"{name}-{version}"
    subprocess.run([jdk.find() / "bin" / "javac", "--release", "17", "-d", classes, file], check=True, timeout=60)
    target = folder / f"{name.lower()}-{version}.jar"
    subprocess.run([jdk.find() / "bin" / "jar", "--create", "--file", target, "-C", classes, "."], check=True, timeout=60)
    return target


def publish(repository, artifact, version, file, needs=(), group=GROUP):
    """Puts a jar into a repository as Maven lays it out, with its pom and checksums; needs are (group, artifact, version)."""
    folder = repository / group.replace(".", "/") / artifact / version
    folder.mkdir(parents=True)
    dependencies = "".join(f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version></dependency>" for g, a, v in needs)
    pom = f"""<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{artifact}</artifactId>
    <version>{version}</version><dependencies>{dependencies}</dependencies></project>"""
    versions = "".join(f"<version>{each.name}</version>" for each in sorted(folder.parent.iterdir()) if each.is_dir())
    metadata = f"<metadata><groupId>{group}</groupId><artifactId>{artifact}</artifactId><versioning><versions>{versions}</versions></versioning></metadata>"
    for path, data in (
        (folder / f"{artifact}-{version}.jar", file.read_bytes()),
        (folder / f"{artifact}-{version}.pom", pom.encode()),
        (folder.parent / "maven-metadata.xml", metadata.encode()),
    ):
        path.write_bytes(data)
        path.with_name(f"{path.name}.sha1").write_text(hashlib.sha1(data).hexdigest())


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maven")
    repository = folder / "repository"
    publish(repository, "greeter", "1.0", jar(folder, "Greeter", 'public class Greeter { public static String greet() { return "hello from 1.0"; } }'))
    publish(repository, "greeter", "2.0", jar(folder, "Greeter", 'public class Greeter { public static String greet() { return "hello from 2.0"; } }', "2.0"))
    user = jar(folder, "User", "public class User { public static int two() { return 2; } }")
    publish(repository, "user", "1.0", user, [(GROUP, "ender", "1.0"), ("com.google.guava", "guava", "19.0")])
    publish(repository, "ender", "1.0", jar(folder, "Ender", "public class Ender { public static void end() { System.exit(21); } public static void loop() { while (true) { try { Thread.sleep(5); } catch (Throwable t) { } } } }"))
    deep = "public class Deep { public static int version() { return %s; } }"
    publish(repository, "deep", "1.0", jar(folder, "Deep", deep % 1))
    publish(repository, "deep", "2.0", jar(folder, "Deep", deep % 2, "2.0"))
    publish(repository, "guava", "19.0", user, [(GROUP, "deep", "1.0")], group="com.google.guava")
    publish(repository, "far", "1.0", user, [(GROUP, "deep", "2.0")])
    publish(repository, "middle", "1.0", user, [(GROUP, "far", "1.0")])
    publish(repository, "hides", "1.0", user, [("com.google.guava", "guava", "19.0"), (GROUP, "middle", "1.0")])
    publish(repository, "alone", "1.0", user)
    publish(repository, "proxied", "1.0", user)
    publish(repository, "never", "1.0", user)
    publish(repository, "spoiled", "1.0", user)
    (repository / GROUP.replace(".", "/") / "spoiled/1.0/spoiled-1.0.jar.sha1").write_text("0" * 40)
    (folder / "loose").mkdir()
    jar(folder / "loose", "Loose", "public class Loose { public static String name() { return Loose.class.getProtectionDomain().getCodeSource().getLocation().getPath(); } }")
    return folder


@pytest.fixture
def book(shared, repository, tmp_path):
    """The shared kernel with a home of its own, whose settings.xml sends everything to the repository above."""
    (tmp_path / ".m2").mkdir()
    settings(tmp_path, (repository / "repository").as_uri())
    real = shared.ok('System.getProperty("user.home")').result
    shared.ok(f'System.setProperty("user.home", "{tmp_path}");')
    yield shared
    shared.ok(f'System.setProperty("user.home", "{real}");')


def settings(home, url, more=""):
    (home / ".m2/settings.xml").write_text(f"<settings>{more}<mirrors><mirror><id>test</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror></mirrors></settings>")


def test_an_artifact_and_what_it_needs_are_added_and_variables_stay(book, tmp_path):
    book.ok("var depsKept = new ArrayList<>(List.of(7)); int depsOne = 1;")
    shown = book.ok(f"%maven {GROUP}:user:1.0").text
    assert f"added {GROUP}:user 1.0\nadded {GROUP}:ender 1.0\n" in shown
    assert "com.google.guava:guava stays at the kernel's own version" in shown and "19.0 was asked for" in shown
    assert book.ok("lib.User.two() + depsKept.get(0) + depsOne").result == "10"
    assert (tmp_path / ".m2/repository/org/example/guard/user/1.0/user-1.0.jar").is_file()

    refused = book.run("lib.Ender.end();")
    assert refused.error.startswith("System.exit(21) was refused")
    assert book.ok("depsKept.size()").result == "1"

    assert "interrupted" in book.interrupted('System.out.println("begun"); lib.Ender.loop();').error


def test_deps_comments_work_in_the_same_cell_and_versions_do_not_change(book):
    cell = book.ok(f"// a comment\n\n//DEPS {GROUP}:greeter:1.0\nimport lib.Greeter;\nSystem.out.println(Greeter.greet());")
    assert cell.text == f"added {GROUP}:greeter 1.0\nhello from 1.0\n"
    assert "stays at 1.0" in book.ok(f"%maven {GROUP}:greeter:2.0").text
    assert book.ok("lib.Greeter.greet()").result == "hello from 1.0"
    assert book.ok(f'//DEPS {GROUP}:greeter:1.0\n"again"').text == ""


def test_values_stand_in_coordinates_and_paths(book, repository):
    book.ok(f'var depsVersion = "1.0"; var depsFolder = Path.of("{repository}/two words");')
    assert f"{GROUP}:user:jar:1.0 is not in the local repository" in book.run(f"%maven --offline {GROUP}:user:{{depsVersion}}").error
    named = "greeter-1.0.jar"
    (repository / "two words").mkdir(exist_ok=True)
    (repository / "two words" / named).write_bytes((repository / named).read_bytes())
    assert f"{repository}/two words/{named}\n" in book.ok(f"%jars {{depsFolder}}/{named}").text
    assert "there is no variable nowhere" in book.run("%jars {nowhere}/x.jar").error


def test_ranges_and_what_the_kernel_carries(book):
    book.ok(f"%maven {GROUP}:greeter:1.0")
    assert "stays at 1.0, which this notebook added before; 2.0" in book.ok(f"%maven {GROUP}:greeter:[1.5,3)").text
    shown = book.ok("%maven com.fasterxml.jackson.core:jackson-databind:2.0.0").text
    assert "the kernel's own" in shown
    carried = re.search(r"kernel's own version (\S+);", shown)[1]
    name = f"com.fasterxml.jackson.core:jackson-databind:{carried}"
    assert book.ok(f"%maven {name}").text == f"com.fasterxml.jackson.core:jackson-databind {carried} is in the kernel already\n"
    assert f"there is no com.fasterxml.jackson.core:jackson-databind:jar:tests:{carried}" in book.run(f"%maven {name}:tests").error


def test_what_a_carried_library_needs_hides_nothing(book):
    """guava is nearer than the artifact that needs the newer version, and needs an older one."""
    assert f"added {GROUP}:deep 2.0" in book.ok(f"%maven {GROUP}:hides:1.0").text
    assert book.ok("lib.Deep.version()").result == "2"


@contextlib.contextmanager
def serving(folder, handler=http.server.SimpleHTTPRequestHandler):
    """A repository over HTTP; the paths that were asked for are in its list."""
    asked = []

    class Handler(handler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


class Guarded(http.server.SimpleHTTPRequestHandler):
    WANTED = "Basic " + base64.b64encode(b"reader:secret-word").decode()

    def do_GET(self):
        if self.headers["Authorization"] == self.WANTED:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()


class Proxy(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.path = self.path.removeprefix("http://repository.invalid")
        super().do_GET()


SERVER = "<servers><server><id>test</id><username>reader</username><password>%s</password></server></servers>"


def test_a_server_gets_the_credentials_of_the_settings(book, repository, tmp_path):
    with serving(repository / "repository", Guarded) as (port, asked):
        settings(tmp_path, f"http://127.0.0.1:{port}", SERVER % "wrong-word")
        refused = book.run(f"%maven {GROUP}:alone:1.0")
        assert refused.status == "error" and "wrong-word" not in refused.error + refused.traceback
        settings(tmp_path, f"http://127.0.0.1:{port}", SERVER % "secret-word")
        shown = book.ok(f"%maven {GROUP}:alone:1.0").text
        assert f"added {GROUP}:alone 1.0" in shown and "secret-word" not in shown
        assert any(path.endswith("alone-1.0.jar") for path in asked)


def test_a_proxy_of_the_settings_is_used(book, repository, tmp_path):
    with serving(repository / "repository", Proxy) as (port, asked):
        proxy = f"<proxies><proxy><id>p</id><active>true</active><protocol>http</protocol><host>127.0.0.1</host><port>{port}</port></proxy></proxies>"
        settings(tmp_path, "http://repository.invalid", proxy)
        assert f"added {GROUP}:proxied 1.0" in book.ok(f"%maven {GROUP}:proxied:1.0").text
        assert f"http://repository.invalid/{GROUP.replace('.', '/')}/proxied/1.0/proxied-1.0.jar" in asked


def test_offline_in_the_settings_asks_nobody(book, repository, tmp_path):
    with serving(repository / "repository") as (port, asked):
        settings(tmp_path, f"http://127.0.0.1:{port}", "<offline>true</offline>")
        cell = book.run(f"%maven {GROUP}:never:1.0")
        assert "is not in the local repository, and Maven is offline" in cell.error
        assert asked == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"%maven {GROUP}:missing:1.0", f"there is no {GROUP}:missing:jar:1.0 in test (file:"),
        (f"%maven {GROUP}:spoiled:1.0", f"{GROUP}:spoiled:jar:1.0 was refused, its checksum is not right"),
        (f"%maven --offline {GROUP}:user:1.0", f"{GROUP}:user:jar:1.0 is not in the local repository, and Maven is offline"),
        (f"%maven {GROUP}:greeter:[5,6)", f"no version fits {GROUP}:greeter:jar:[5,6)"),
        ("%maven commons-lang3", "'commons-lang3' is not GROUP:ARTIFACT:VERSION, for instance"),
        ("%jars /nowhere/x.jar", "there is no file or folder /nowhere/x.jar"),
        ("%jars /etc/passwd", "/etc/passwd is not a jar"),
    ],
)
def test_what_goes_wrong_is_one_sentence(book, line, words):
    cell = book.run(line)
    assert cell.status == "error" and words in cell.error
    assert "\n" not in cell.error and "defect" not in cell.traceback


def test_a_repository_that_cannot_be_reached(book, tmp_path):
    settings(tmp_path, "http://127.0.0.1:1/maven")
    assert "cannot be reached" in book.run(f"%maven {GROUP}:user:1.0").error


def test_credentials_of_a_repository_are_not_shown(book, tmp_path):
    settings(tmp_path, "http://user:secret@127.0.0.1:1/maven")
    cell = book.run(f"%maven {GROUP}:user:1.0")
    assert "test (http://127.0.0.1:1/maven) cannot be reached" in cell.error
    assert "secret" not in cell.error + str(cell.traceback)


def test_an_interrupt_ends_a_download(book, tmp_path):
    asked, over = threading.Event(), threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            over.wait(60)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings(tmp_path, f"http://127.0.0.1:{server.server_port}/")
    threading.Thread(target=lambda: asked.wait(60) and book.manager.interrupt_kernel(), daemon=True).start()
    try:
        cell = book.run(f"%maven {GROUP}:user:1.0", timeout=50)
    finally:
        over.set()
        server.shutdown()
    assert "interrupted" in cell.error


def test_jars_of_this_machine(book, repository):
    loose = repository / "loose"
    assert book.ok(f"%jars {loose}/l*.jar").text == f"added {loose}/loose-1.0.jar\n"
    assert book.ok("lib.Loose.name()").result == f"{loose}/loose-1.0.jar"
    assert book.ok("lib.Loose.class.getPackage().getName()").result == "lib"
