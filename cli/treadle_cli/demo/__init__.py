"""``treadle demo``: both operating modes on a real chaincode, told step by step."""

from treadle_cli.demo.languages import LANGUAGES, DemoLanguage
from treadle_cli.demo.story import run_demo

__all__ = ["LANGUAGES", "DemoLanguage", "run_demo"]
