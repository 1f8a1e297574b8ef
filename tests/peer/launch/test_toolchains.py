"""Real compilers: errors that reach whoever waits, caches that are used, old layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from treadle_fabric.packages import wrap_code, write_archive
from treadle_peer.execution import ExecutionError


async def failure(bench: Any, ccid: str) -> str:
    with pytest.raises(ExecutionError) as raised:
        await bench.launcher.launch(ccid)
    return str(raised.value)


def install(bench: Any, *, language: str, path: str, files: dict[str, str]) -> str:
    code = write_archive({name: content.encode() for name, content in files.items()})
    raw = wrap_code(name="made", version="1", language=language, path=path, code=code)
    return str(bench.packages.install(raw).ccid)


@pytest.mark.toolchain("go")
async def test_go_compiler_errors_reach_whoever_waits(bench: Any) -> None:
    source = "package main\n\nfunc main() {\n\tundefinedThing()\n}\n"
    files = {"src/go.mod": "module example.com/cc\n\ngo 1.22\n", "src/main.go": source}
    ccid = install(bench, language="golang", path="example.com/cc", files=files)
    text = await failure(bench, ccid)
    assert text.startswith(
        "error building chaincode: error building image: go build -buildvcs=false "
    )
    assert "main.go:4:2: undefined: undefinedThing" in text


@pytest.mark.toolchain("go")
async def test_go_without_module_is_built_as_in_1_4(bench: Any) -> None:
    main = 'package main\n\nimport "example.com/cc/words"\n\nfunc main() { println(words.Said) }\n'
    files = {
        "src/example.com/cc/main.go": main,
        "src/example.com/cc/words/words.go": 'package words\n\nconst Said = "from gopath"\n',
    }
    ccid = install(bench, language="golang", path="example.com/cc", files=files)
    await bench.launcher.launch(ccid)
    assert "from gopath" in (await bench.exit()).sentence


@pytest.mark.toolchain("go")
async def test_second_launch_of_the_same_go_code_does_not_compile(
    make_bench: Any, examples: Path
) -> None:
    first = await make_bench()
    ccid = first.install(examples / "go", language="golang")
    await first.launch(ccid)
    (build,) = (first.folder / "launcher" / "builds").glob("*/build.log")
    before = build.stat().st_mtime_ns, build.parent.joinpath("output", "chaincode").stat().st_ino
    await first.launcher.close()
    second = await make_bench()
    await second.launch(ccid)
    after = build.stat().st_mtime_ns, build.parent.joinpath("output", "chaincode").stat().st_ino
    assert before == after


@pytest.mark.toolchain("node")
async def test_npm_errors_reach_whoever_waits(bench: Any) -> None:
    manifest = (
        '{"name": "cc", "scripts": {"start": "node x.js"}, "dependencies": {"a": "file:./no.tgz"}}'
    )
    files = {"src/package.json": manifest, "src/x.js": ""}
    text = await failure(bench, install(bench, language="node", path="x", files=files))
    assert "npm install --omit=dev failed with exit code" in text
    assert "npm error" in text


@pytest.mark.toolchain("java")
async def test_java_compiler_errors_reach_whoever_waits(bench: Any, examples: Path) -> None:
    files = {
        "src/pom.xml": (examples / "java" / "pom.xml").read_text(),
        "src/src/main/java/A.java": "class A { int x = nothing; }",
    }
    text = await failure(bench, install(bench, language="java", path="x", files=files))
    assert "mvn -q -B failed with exit code 1" in text
    assert "cannot find symbol" in text


async def test_python_syntax_errors_reach_whoever_waits(bench: Any) -> None:
    files = {"src/requirements.txt": "", "src/chaincode.py": "def broken(:\n"}
    text = await failure(bench, install(bench, language="python", path="x", files=files))
    assert "python -m compileall failed with exit code 1" in text
    assert "SyntaxError" in text
