#!/bin/sh
# operate/restore.sh FOLDER: puts back what operate/backup.sh wrote. Databases of the same names are dropped first.
#
# Takes the same variables. Stop the services before, or start them again afterwards.
set -eu
folder=${1:?name the folder to read from}
for dump in "$folder"/*.dump; do
  database=$(basename "$dump" .dump)
  dropdb --if-exists --force "$database"
  createdb --template=template0 "$database"
  pg_restore --exit-on-error --no-owner --dbname="$database" "$dump"
done
if [ -n "${STORAGE_DIRECTORY:-}" ] && [ -e "$folder/storage.tar" ]; then
  mkdir -p "$STORAGE_DIRECTORY"
  tar -C "$STORAGE_DIRECTORY" -xpf "$folder/storage.tar"
fi
