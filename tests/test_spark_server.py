from pathlib import Path

import pytest

from mkt_models.spark_server import SparkServerError, running, spark_home


def test_an_environment_without_spark_is_named(tmp_path: Path):
    with pytest.raises(SparkServerError, match=r"no pyspark with Spark's jars; `make test-spark`"):
        spark_home(tmp_path)


def test_spark_is_found_inside_its_environment(tmp_path: Path):
    home = tmp_path / "lib" / "python3.11" / "site-packages" / "pyspark"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "spark-submit").touch()
    assert spark_home(tmp_path) == home.resolve()


def test_a_server_that_ends_at_once_tells_its_log(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    submit = tmp_path / "bin" / "spark-submit"
    submit.write_text("#!/bin/sh\necho 'no memory left'; exit 3\n")
    submit.chmod(0o755)
    with (
        pytest.raises(
            SparkServerError,
            match="does not listen: it ended with code 3; its log ends:\nno memory left",
        ),
        running(tmp_path),
    ):
        pass


@pytest.mark.parametrize("brief", [True, False])
def test_a_brief_server_compiles_fast_rather_than_well(tmp_path: Path, brief: bool):
    (tmp_path / "bin").mkdir()
    submit = tmp_path / "bin" / "spark-submit"
    submit.write_text('#!/bin/sh\necho "$@"; exit 3\n')
    submit.chmod(0o755)
    with pytest.raises(SparkServerError) as caught, running(tmp_path, brief=brief):
        pass
    assert ("--driver-java-options -XX:TieredStopAtLevel=1" in str(caught.value)) is brief
