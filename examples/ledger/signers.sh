#!/bin/sh
# Makes the role of the signers, when the server starts for the first time. The owner then lets it append and read:
# firmseal ledger init --signers signer
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/signer-password`
CREATE ROLE signer LOGIN PASSWORD :'password';
SQL
