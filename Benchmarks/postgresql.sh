#!/usr/bin/env bash
# Runs a command with the URL of an empty database on a PostgreSQL server of its own as the last word:
#     Benchmarks/postgresql.sh COMMAND [WORDS...]
# The server keeps its standard settings; it ends with the command. As root it runs as the user postgres.
set -euo pipefail
folder=$(mktemp -d)
port=${PORT:-5439}
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
owner=()
if [ "$(id -u)" = 0 ]; then
  owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chown postgres:postgres "$folder"
fi
server=
finish() {
  if [ -n "$server" ]; then
    "${owner[@]}" "$programs/pg_ctl" stop -s -m immediate -D "$folder/data" || true
  fi
  rm -rf "$folder"
}
trap finish EXIT
cd /
"${owner[@]}" "$programs/initdb" -D "$folder/data" -U joule --auth=trust --no-sync -E UTF8 --locale=C \
  > "$folder.initdb" 2>&1 || { cat "$folder.initdb"; exit 1; }
rm -f "$folder.initdb"
"${owner[@]}" "$programs/pg_ctl" start -s -w -D "$folder/data" -l "$folder/data/log" \
  -o "-p $port -h 127.0.0.1 -k ''"
server=yes
psql -X -q -d "postgresql://joule@127.0.0.1:$port/postgres" -c 'CREATE DATABASE books'
cd - > /dev/null
"$@" "postgresql://joule@127.0.0.1:$port/books?sslmode=disable&gssencmode=disable"
