#!/bin/sh
# Hands a renewed certificate to the registry. certbot runs it, from /etc/letsencrypt/renewal-hooks/deploy/, and names the folder of the new
# files in RENEWED_LINEAGE. The registry sees them within a minute by itself, and shows nothing new before both fit together.
set -eu
to=${DRAY_TLS:-/etc/dray}
group=${DRAY_GROUP:-dray}
install -m 640 -g "$group" "$RENEWED_LINEAGE/privkey.pem" "$to/.tls.key.new"
install -m 640 -g "$group" "$RENEWED_LINEAGE/fullchain.pem" "$to/.tls.crt.new"
mv "$to/.tls.key.new" "$to/tls.key"
mv "$to/.tls.crt.new" "$to/tls.crt"
