#!/bin/sh
# operate/backup.sh FOLDER: dumps the databases of a running marketplace, then packs the storage's files.
#
# The server and the account are libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSFILE. DATABASES names the databases,
# STORAGE_DIRECTORY the storage's folder; without it files are left out. Files come last: rows name files, never the reverse.
# Keys are not among it: keep the master keys elsewhere, or whoever finds the backup has the secrets.
set -eu
folder=${1:?name the folder to write into}
umask 077
mkdir -p "$folder"
for database in ${DATABASES:-sms market scheduler matcher callbacks indexer}; do
  pg_dump --format=custom --file="$folder/$database.part" "$database"
  mv "$folder/$database.part" "$folder/$database.dump"
done
if [ -n "${STORAGE_DIRECTORY:-}" ]; then
  tar -C "$STORAGE_DIRECTORY" -cf "$folder/storage.part" .
  mv "$folder/storage.part" "$folder/storage.tar"
fi
