#!/usr/bin/env python3
"""Lists what Joulebook is built from and tested with, with versions: make sbom

Writes a CycloneDX 1.5 document to the given file, and a table to standard output. Swift packages come from
Package.resolved, C libraries and tools from dpkg, Python packages of the tests from pip.
"""
import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ["libuv1", "libsqlite3-0", "libpq5", "libssl3"]          # Linked by the program.


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, help="output file, CycloneDX JSON")
    parser.add_argument("--python", default=str(ROOT / ".venv/bin/python"), help="Python of the tests")
    options = parser.parse_args()
    parts = swift_packages() + c_libraries() + python_packages(options.python) + [compiler()]
    options.file.write_text(json.dumps(document(parts), indent=2) + "\n")
    width = max(len(part["name"]) for part in parts)
    for part in parts:
        print(f"{part['name']:<{width}}  {part['version']:<24}  {part['use']}")
    print(f"wrote {options.file}")
    missing = [part["name"] for part in parts if part["version"] == "unknown"]
    if missing:
        print(f"no version is known of {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


def run(*command):
    """Output of a command; empty when it fails or does not exist."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout
    except OSError:
        return ""


def swift_packages():
    resolved = ROOT / "Package.resolved"
    if not resolved.exists():
        run("swift", "package", "resolve")
    parts = []
    for pin in json.loads(resolved.read_text())["pins"]:
        place = re.sub(r"^https://|\.git$", "", pin["location"])
        version = pin["state"].get("version") or pin["state"]["revision"]
        parts.append(dict(name=pin["identity"], version=version, use="program or its build",
                          purl=f"pkg:swift/{place}@{version}", revision=pin["state"]["revision"]))
    return parts


def c_libraries():
    parts = []
    for library in PROGRAM:
        # Newer releases of Debian add a suffix to the names of packages with 64-bit times.
        found = run("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", library, library + "t64")
        rows = [line.split() for line in found.splitlines() if line.endswith(" installed")]
        name, version = rows[0][:2] if rows else (library, "unknown")
        parts.append(dict(name=name, version=version, use="program, linked dynamically",
                          purl=f"pkg:deb/debian/{name}@{version}"))
    return parts


def python_packages(python):
    listed = run(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check")
    return [dict(name=package["name"], version=package["version"], use="Python client and tests",
                 purl=f"pkg:pypi/{package['name'].lower()}@{package['version']}")
            for package in json.loads(listed or "[]") if package["name"] not in ("pip", "setuptools")]


def compiler():
    found = re.search(r"Swift version (\S+)", run("swift", "--version"))
    version = found[1] if found else "unknown"
    return dict(name="swift", version=version, use="compiler, standard library", purl=f"pkg:generic/swift@{version}")


def document(parts):
    version = re.search(r"^## .*?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    revision = run("git", "rev-parse", "HEAD").strip()
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "name": "joulebook", "version": version[1] if version else "unknown",
                          "properties": [{"name": "git:revision", "value": revision}]}},
        "components": [
            {"type": "library", "name": part["name"], "version": part["version"], "purl": part["purl"],
             "properties": [{"name": "joulebook:use", "value": part["use"]}]
             + ([{"name": "git:revision", "value": part["revision"]}] if "revision" in part else [])}
            for part in parts],
    }


if __name__ == "__main__":
    sys.exit(main())
