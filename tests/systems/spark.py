"""A cluster of Apache Spark on this machine: a master and two workers, as operators run them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.systems.programs import free_port, program

import awe
from awe.services.catalogs.backends.spark_session import SparkCluster
from awe.settings import SparkSettings

__all__ = ["SPARK_OPTIONS", "spark_cluster", "spark_connect"]

SPARK_OPTIONS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.task.reaper.killTimeout": "10s",
}
_MASTER, _WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"


_OPENED = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.nio",
        "java.lang",
        "java.lang.invoke",
        "java.util",
        "java.util.concurrent",
        "sun.nio.ch",
    )
]
"""What Spark's own scripts let it look into."""
_CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def _running(*commands: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run programs of Spark, with an empty folder for what they write; they end with the block."""
    java = program("openjdk-17-jre-headless", "java")
    home = Path(pytest.importorskip("pyspark").__file__).parent
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(Path(awe.__file__).parents[1]),
    }
    with tempfile.TemporaryDirectory(prefix="awe-spark-") as folder, (Path(folder) / "log").open("w") as log:
        processes = [
            subprocess.Popen(
                [java, "-Xmx512m", *_OPENED, "-cp", f"{home}/jars/*", *command],
                env=environment, cwd=folder, stdout=log, stderr=log,
            )
            for command in commands
        ]  # fmt: skip
        try:
            yield processes
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[SparkSettings]:
    """Return the settings of a cluster of this test session, which is joined as long as the session lasts."""
    port, page = str(free_port()), str(free_port())
    url = f"spark://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1"]
    master = [_MASTER, *here, "--port", port, "--webui-port", page]
    worker = [_WORKER, *here, "--cores", "1", "--memory", "1g", "--webui-port", "0"]
    workers = [[*worker, "--work-dir", f"work{i}", url] for i in range(2)]
    with _running(master, *workers) as processes:
        _wait_for_workers(f"http://127.0.0.1:{page}/json/", processes)
        os.environ.update({"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable})
        settings = SparkSettings(url=url, options=SPARK_OPTIONS)
        cluster = SparkCluster(settings)
        cluster.session()
        yield settings
        cluster.leave()


@pytest.fixture(scope="session")
def spark_connect() -> Iterator[SparkSettings]:
    """Return the settings of a service of Spark Connect, which has two threads of its own."""
    port = free_port()
    options = {
        **SPARK_OPTIONS, "spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false", "spark.connect.progress.reportInterval": "100ms",
    }  # fmt: skip
    said = [part for name, value in options.items() for part in ("--conf", f"{name}={value}")]
    submit = ["org.apache.spark.deploy.SparkSubmit", "--master", "local[2]", *said]
    with _running([*submit, "--class", _CONNECT, "spark-internal"]) as (server,):
        while True:
            assert server.poll() is None
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.2)
        yield SparkSettings(url=f"sc://127.0.0.1:{port}")


def _wait_for_workers(page: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait until the master knows both workers; the one that starts before it asks again by itself."""
    while True:
        assert all(process.poll() is None for process in processes)
        with suppress(OSError), urllib.request.urlopen(page) as answer:
            if answer.read().count(b"ALIVE") == 3:
                return
        time.sleep(0.2)
