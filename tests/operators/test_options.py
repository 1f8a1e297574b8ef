"""What the operator's command line understands, and how it refuses the rest."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest
from click.testing import CliRunner
from treadle_operator.options import by_language, duration


@click.command(context_settings={"auto_envvar_prefix": "T"})
@click.option("--builder-image", multiple=True, callback=by_language)
@click.option("--lifetime", default="90d", callback=duration)
def command(builder_image: dict[str, str], lifetime: timedelta) -> None:
    click.echo(f"{sorted(builder_image.items())} {lifetime.total_seconds():.0f}")


def said(*arguments: str, **variables: str) -> str:
    return CliRunner().invoke(command, arguments, env=variables).output


def test_images_come_one_by_one_or_from_one_variable_with_commas() -> None:
    wanted = "[('golang', 'r:5000/go@sha256:ab'), ('node', 'n:1')] 7776000\n"
    given = ("--builder-image", "golang=r:5000/go@sha256:ab", "--builder-image", "node=n:1")
    assert said(*given) == wanted
    assert said(T_BUILDER_IMAGE="golang=r:5000/go@sha256:ab, node=n:1,") == wanted
    assert said() == "[] 7776000\n"


@pytest.mark.parametrize("wrong", ["golang", "golang=", "cobol=x:1", "=x", "node=a b"])
def test_what_is_no_language_and_image_is_refused_with_what_to_write(wrong: str) -> None:
    assert "write one of golang, node, java, python, '=' and an image" in said(
        "--builder-image", wrong
    )


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("2m", 120), ("3h", 10800)])
def test_durations_have_a_unit(text: str, seconds: int) -> None:
    assert said("--lifetime", text) == f"[] {seconds}\n"


@pytest.mark.parametrize("wrong", ["", "0s", "1", "1w", "-1s", "1.5h", "1d2h"])
def test_what_is_no_duration_is_refused(wrong: str) -> None:
    assert "write a number and one of s, m, h, d" in said("--lifetime", wrong)
