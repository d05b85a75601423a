#!/usr/bin/env python3
"""Cuts the weeks in Sources/Community/Data out of the original data sets.

    pip download --no-deps simbench==1.6.3
    make_community_data.py simbench SIMBENCH_WHEEL  OUT_FOLDER
    make_community_data.py fontana  HOMES_CSV_GZ    OUT_FOLDER
    make_community_data.py swiss    HOMES_CSV_GZ    OUT_FOLDER   (roofs: homes_meta.csv beside it)

SimBench: grid LV3.101 (118 customers) and the profile columns its customers use, in three weeks of
2016, each with the Sunday before it (a lead-in day, for forecasts only). Values are per unit x 1e6.
Fontana: 17 homes, hourly Wh, the same shape: a lead-in Sunday and the week after it.
Swiss: 537 homes, Wh per quarter hour, Monday to Wednesday of week 44: the days without register faults.
Only the standard library is needed.
"""
import csv
import gzip
import io
import os
import sys
import zipfile

GRID = "LV3.101"
NETWORK = "simbench/networks/1-complete_data-mixed-all-1-sw/"
WEEKS = {"january": "10.01.2016 00:00", "june": "12.06.2016 00:00", "october": "09.10.2016 00:00"}
DAYS = 8


def table(wheel, name):
    with wheel.open(NETWORK + name) as raw:
        yield from csv.DictReader(io.TextIOWrapper(raw, "utf-8"), delimiter=";")


def write(path, header, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def watts(megawatts):
    return round(float(megawatts) * 1e6)


def millionths(per_unit):
    # A few values of a charging vehicle are a little below zero.
    return max(0, round(float(per_unit) * 1e6))


def simbench(source, folder):
    wheel = zipfile.ZipFile(source)
    position = {r["id"]: (r["x"], r["y"]) for r in table(wheel, "Coordinates.csv")}
    at = {r["id"]: position[r["coordID"]] for r in table(wheel, "Node.csv") if r["subnet"] == GRID}
    units = []
    for name, kind, power in (
        ("Load.csv", "load", "pLoad"), ("RES.csv", "pv", "pRES"), ("Storage.csv", "storage", "sR")):
        for r in table(wheel, name):
            if r["subnet"] != GRID:
                continue
            stored = watts(r["eStore"]) if kind == "storage" else 0
            bus = r["node"]
            units.append([bus, kind, r["profile"], watts(r[power]), stored, *at[bus]])
    units.sort(key=lambda u: (int(u[0].split()[-1]), u[1], u[2]))
    write(f"{folder}/simbench/customers.csv",
          ["node", "kind", "profile", "rated_w", "storage_wh", "x", "y"], units)
    lines = [[r["nodeA"], r["nodeB"], r["length"], r["type"]]
             for r in table(wheel, "Line.csv") if r["subnet"] == GRID]
    write(f"{folder}/simbench/lines.csv", ["node_a", "node_b", "length_km", "type"], lines)
    weeks(wheel, folder, {u[2] for u in units if u[1] == "load"}, {u[2] for u in units if u[1] == "pv"})


def weeks(wheel, folder, loads, plants):
    columns = {week: {} for week in WEEKS}
    for name, wanted, suffix in (
        ("LoadProfile.csv", loads, "_pload"), ("RESProfile.csv", plants, "")):
        rows = list(table(wheel, name))
        for week, first in WEEKS.items():
            start = next(i for i, r in enumerate(rows) if r["time"] == first)
            cut = rows[start:start + DAYS * 96]
            columns[week]["time"] = [r["time"] for r in cut]
            for profile in sorted(wanted):
                columns[week][profile] = [millionths(r[profile + suffix]) for r in cut]
    for week, of in columns.items():
        names = ["time"] + [n for n in of if n != "time"]
        write(f"{folder}/simbench/profiles_{week}_week.csv", names, zip(*(of[n] for n in names)))


def fontana(source, folder):
    with gzip.open(source, "rt") as raw:
        rows = list(csv.reader(raw))
    header, data = rows[0], rows[1:]
    monday = next(i for i, r in enumerate(data) if r[0] == "6" and r[1] == "1" and r[2] == "1")
    # The day before the first whole June week is a Sunday.
    write(f"{folder}/fontana/homes_june_week.csv", header, data[monday - 24:monday + 7 * 24])


def swiss(source, folder):
    with gzip.open(source, "rt") as raw:
        rows = list(csv.reader(raw))
    with open(source.replace("15min_wh.csv.gz", "meta.csv"), newline="") as raw:
        roofs = {r["vid"]: r["derived_pv_wp"] or 0 for r in csv.DictReader(raw)}
    homes, data = rows[0][3:], rows[1:]
    days = [r[3:] for r in data if r[0] == "w44" and r[1] in "123"]
    write(f"{folder}/swiss/homes_three_days.csv", homes, days)
    write(f"{folder}/swiss/roofs.csv", ["home", "roof_w"], [[h, roofs[h]] for h in homes])


if __name__ == "__main__":
    known = {"simbench": simbench, "fontana": fontana, "swiss": swiss}
    if len(sys.argv) != 4 or sys.argv[1] not in known:
        sys.exit(__doc__)
    known[sys.argv[1]](sys.argv[2], sys.argv[3])
