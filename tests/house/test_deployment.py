"""The files that deploy mockchat do what they say, as far as that can be seen without Docker."""

import configparser
import re
import shutil
import socket
import subprocess
import sys

import click
import pytest
import yaml
from deployment import PROJECT, blocks, instructions, is_sent, stages, the
from serving import server_environment, serving

from mockchat.cli import serve

PORT = next(option for option in serve.params if option.name == "port").default
GRACE = next(option for option in serve.params if option.name == "grace").default


def parsed(arguments):
    """Return the options that `mockchat serve` reads from arguments, without starting it."""
    return click.Context(serve).command.make_context("serve", list(arguments)).params


def documents():
    """Return the documents of the Kubernetes example by kind."""
    (text,) = blocks("yaml")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def container():
    """Return the container of the Kubernetes example."""
    (found,) = documents()["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found


def composed():
    """Return the service of the compose file."""
    return yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]["mockchat"]


def test_the_image_starts_the_server_where_it_says():
    """Its command line is one that `mockchat serve` takes, on the port that is exposed."""
    program, command, *options = the("ENTRYPOINT").command
    assert (program, command) == ("mockchat", "serve")
    read = parsed(options)
    assert (read["host"], read["port"]) == ("0.0.0.0", PORT)
    assert the("EXPOSE").rest == str(PORT)
    assert the("STOPSIGNAL").rest == "SIGTERM"


def test_the_image_runs_as_nobody_special():
    """A server that others reach must own nothing; the user is one that the image made."""
    user, group = the("USER").rest.split(":")
    assert user == group != "0"
    (made,) = [one.rest for one in stages()[-1] if one.name == "RUN"]
    assert f"--uid {user} " in made
    names = [one.name for one in stages()[-1]]
    assert names.index("USER") > names.index("RUN")
    assert names.index("COPY") < names.index("ENTRYPOINT")


def test_the_image_is_of_a_python_that_we_support():
    """And both stages are of the same one: an environment does not move between two."""
    versions = {re.search(r"python:(3\.\d+)-slim", stage[0].rest)[1] for stage in stages()}
    assert len(versions) == 1
    assert f"Python :: {versions.pop()}" in (PROJECT / "pyproject.toml").read_text()


def test_the_extras_of_the_image_exist():
    """Pip only warns of an extra that there is not, and the image would lack its engine."""
    (installed,) = [one.rest for one in stages()[0] if one.name == "RUN"]
    declared = re.findall(r"^(\w+) = \[", (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    asked = re.search(r"\.\[([\w,]+)\]", installed)[1].split(",")
    assert set(asked) <= set(declared)


def test_what_is_built_from_is_sent_and_nothing_else():
    """A build context with environments in it is a gigabyte, and may hold secrets."""
    for path in ("mockchat/cli.py", "schemas/openai/request.json", "hatch_build.py", "LICENSE"):
        assert is_sent(path), path
    for path in (
        ".git/HEAD",
        ".venv/bin/python",
        "tests/conftest.py",
        "mockchat/__pycache__/a.pyc",
    ):
        assert not is_sent(path), path
    copied = [one.rest for one in instructions() if one.name == "COPY"]
    assert copied[0] == ". ."


PROBES = {
    "Dockerfile": lambda: the("HEALTHCHECK").command,
    "Kubernetes, readiness": lambda: container()["readinessProbe"]["exec"]["command"],
    "Kubernetes, liveness": lambda: container()["livenessProbe"]["exec"]["command"],
}


@pytest.fixture(scope="module", name="port")
def _port():
    """Serve with a key, as somebody does who lets others in."""
    with serving("--api-key", "sk-1", "--profile", "groq") as served:
        yield int(re.search(r":([0-9]+)/", served.base_url)[1])


@pytest.mark.parametrize("where", PROBES)
def test_a_probe_tells_a_server_from_none(where, port):
    """It needs no key and no path of a profile; a probe that always says yes restarts nothing."""
    program, *arguments = PROBES[where]()
    assert program == "python"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        free = silent.getsockname()[1]
    for asked, expected in ((port, 0), (free, 1)):
        told = [text.replace(str(PORT), str(asked)) for text in arguments]
        assert told != arguments
        run = subprocess.run([sys.executable, *told], capture_output=True, check=False, timeout=20)
        assert run.returncode == expected


def test_the_compose_file_lets_the_server_end_its_streams():
    """Its options are ours, its port is ours, and it waits for longer than the server takes."""
    service = composed()
    grace = parsed(service["command"])["grace"]
    assert int(service["stop_grace_period"].removesuffix("s")) > grace
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert service["build"] == "."
    assert service["read_only"] is True


def test_the_kubernetes_example_holds_together():
    """Labels select what they should, and the pod lives for longer than its streams may take."""
    deployment, service = documents()["Deployment"]["spec"], documents()["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == service["selector"] == labels
    (port,) = container()["ports"]
    assert port == {"name": service["ports"][0]["targetPort"], "containerPort": PORT}
    pause = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = parsed(container()["args"])["grace"]
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] > pause + grace
    assert str(container()["securityContext"]["runAsUser"]) == the("USER").rest.split(":")[0]


@pytest.fixture(name="unit")
def _unit():
    """Give the systemd unit of the manual."""
    (text,) = blocks("ini")
    return text


def test_the_unit_starts_what_there_is(unit):
    """Its options are ours, and systemd waits for longer than the server takes."""
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str
    read.read_string(unit)
    program, command, *options = read["Service"]["ExecStart"].split()
    assert (program.rpartition("/")[2], command) == ("mockchat", "serve")
    assert int(read["Service"]["TimeoutStopSec"]) > parsed(options)["grace"] > GRACE


def test_systemd_takes_the_unit(unit, tmp_path):
    """A directive that it does not know is ignored with a warning that nobody reads."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / "mockchat.service"
    path.write_text(unit.replace("/opt/mockchat/bin/mockchat", shutil.which("true")))
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=server_environment(),
    )
    said = [line for line in run.stderr.splitlines() if "mockchat" in line]
    assert (run.returncode, said) == (0, [])
