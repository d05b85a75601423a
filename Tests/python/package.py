"""Builds the Python package as a source archive and a wheel, and checks what users get.

    package.py PACKAGE_FOLDER WORK_FOLDER

The archive has the licence, tests and examples, the wheel the schema, the reject codes and py.typed; the tests of the
archive pass with the installed wheel; mypy --strict accepts package and examples, and finds wrong words and fields.
"""

import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

#: Lines that mypy must refuse, and what it must say; the others it must accept.
MISTAKES = '''
import asyncio
from joulebook import Client, read_private_key
from joulebook.messages import Trade
from joulebook import sync

async def main(bot: Client) -> None:
    o = await bot.order(1, 1, "sell", "0.21", "1.5kWh")
    print(o.covered, o.waitReason == "awaitingEnergy")
    await bot.order(1, 1, "sel", 21_000, 500)  # arg-type
    print(o.coverd)  # attr-defined
    await bot.order(1, 1, "sell", 0.21, 500)  # arg-type
    await bot.order(1, 1, "sell", 21_000, 1.5)  # arg-type
    placed = await bot.place(1, 1, "buy", "0.21", 500, time_in_force="fillOrKill")
    print(placed.state == "filled", placed.wait_reason)
    print(placed.waitReason)  # attr-defined
    await bot.place(1, 1, "buy", "0.21", 500, time_in_force="fillOrKil")  # arg-type
    await bot.set_instrument_state(1, "haltet")  # arg-type
    bot.on(Trade, lambda trade: print(trade.quantity))
    bot.on(Trade, lambda trade: print(trade.quantty))  # attr-defined
    async for message in bot.messages():
        if message.name == "Trade":
            print(message.liquidity)
            print(message.liqidity)  # attr-defined
    async for trade in bot.stream(Trade):
        print(trade.price + 1)

def blocking(bot: sync.Client) -> None:
    print(bot.balance(1, area=1).freeCash)
    bot.place(1, 1, "sel", 21_000, 500)  # arg-type
    print(bot.order(1, 1, "sell", 21_000, 500).coverd)  # attr-defined
'''


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
    return result.stdout


def build(package, work):
    """The source archive and the wheel."""
    for step in ("build_sdist", "build_wheel"):
        run(sys.executable, "-c", f"import setuptools.build_meta as b; b.{step}({str(work)!r})", cwd=package)
    return next(work.glob("*.tar.gz")), next(work.glob("*.whl"))


def contents(archive, wheel):
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for name in ("LICENSE", "README.md", "pyproject.toml", "examples/first_trade.py", "tests/test_client.py",
                 "benchmarks/pipelined.py", "joulebook/py.typed", "joulebook/messages/reports.py"):
        assert name in names, f"{name} is not in {archive.name}"
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = file.read(next(name for name in names if name.endswith("METADATA"))).decode()
    for name in ("joulebook/joulebook.xml", "joulebook/reject-codes.csv", "joulebook/py.typed", "joulebook/sync.py",
                 "joulebook/testing.py", "joulebook/messages/words.py"):
        assert name in names, f"{name} is not in {wheel.name}"
    assert any(name.endswith("LICENSE") for name in names), "the wheel has no licence"
    for words in ("Requires-Dist: cryptography", "Apache-2.0", "Requires-Python: >=3.9"):
        assert words in metadata, f"the metadata do not say {words}"
    assert "sbe" not in [line.split()[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")]


def types(package, work, site):
    environment = dict(os.environ, MYPYPATH=str(site))
    run(sys.executable, "-m", "mypy", cwd=package)
    (work / "mistakes.py").write_text(MISTAKES)
    result = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--no-pretty", "mistakes.py"], cwd=work,
                            env=environment, capture_output=True, text=True)
    found = {}
    for line in result.stdout.splitlines():
        if line.startswith("mistakes.py:") and ": error:" in line:
            found[int(line.split(":")[1])] = line.rsplit("[", 1)[1].rstrip("]")
    expected = {number: line.rsplit("# ", 1)[1] for number, line in enumerate(MISTAKES.splitlines(), 1) if "  # " in line}
    assert found == expected, f"mypy found {found}, not {expected}:\n{result.stdout}{result.stderr}"
    print(f"mypy accepts package and examples, and found {len(found)} mistakes")


def main(package, work):
    package, work = pathlib.Path(package).resolve(), pathlib.Path(work).resolve()
    archive, wheel = build(package, work)
    contents(archive, wheel)
    site = work / "site"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
        "--target", str(site), str(wheel))
    with tarfile.open(archive) as file:
        file.extractall(work)
    source = work / archive.name.replace(".tar.gz", "")
    (source / "joulebook").rename(source / "not-installed")
    result = subprocess.run([sys.executable, "-m", "unittest"], cwd=source, capture_output=True, text=True,
                            env=dict(os.environ, PYTHONPATH=str(site)))
    assert result.returncode == 0, result.stderr
    print(f"tests of the archive: {result.stderr.strip().splitlines()[-3]}")
    types(package, work, site)
    print("done")


main(*sys.argv[1:3])
