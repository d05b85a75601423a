"""Builds the small C libraries that are loaded before the C library (LD_PRELOAD) to inject rare faults."""

import pathlib
import shutil
import subprocess


def compiled(market, name):
    """Compiles `name`.c and returns the library; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    library = market.template.parent / f"{name}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library),
                    str(pathlib.Path(__file__).with_name(f"{name}.c")), "-ldl", "-lpthread"],
                   check=True)
    return library


def rows_with(market, name, fault, rows):
    """The rows of `rows(library)`; without a C compiler, a row that says so."""
    library = compiled(market, name)
    if library:
        yield from rows(library)
    else:
        yield fault, 0, "there is no C compiler", None


def environment(library, **settings):
    """The command prefix that starts the program with `library`."""
    return ("env", f"LD_PRELOAD={library}",
            *(f"{name}={value}" for name, value in settings.items()))
