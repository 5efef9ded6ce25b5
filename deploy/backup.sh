#!/bin/sh
# backup.sh CONFIG DATA COPIES: a copy of a registry that goes on serving and taking pushes, in a folder of its own below COPIES.
# What the last copy has already is linked to it and takes no space. Needs rsync. Removing old copies is yours.
#
# The order matters: a push writes data, then links, then the tag; so tags are copied first and data last, and all that a copied name
# needs is there when its turn comes. Meanwhile no garbage is collected; the pause ends by itself after a day. A pause that was there
# before holds as long as it would have.
set -eu
config=$1 data=$2 copies=$3
tree=/docker/registry/v2
mkdir -p "$copies"
last=$(find "$copies" -mindepth 1 -maxdepth 1 -name '*Z' | sort | tail -n 1)
new=$copies/$(date -u +%Y-%m-%dT%H-%M-%SZ)

# 24: what was deleted meanwhile is not there to be copied.
pass() {
  rsync -a --numeric-ids ${last:+--link-dest="$last/"} "$@" "$data/" "$new.partial/" || [ $? -eq 24 ]
}

said=$(cat "$data/dray/gc-paused-until" 2>/dev/null || echo @0)
before=$(date -d "$said" +%s)
left() { echo $((before - $(date +%s))); }

# What is not whole is no copy.
end() {
  rm -rf "$new.partial"
  if [ "$(left)" -gt 0 ]; then dray serve gc --pause "$(left)s" "$config"; else dray serve gc --resume "$config"; fi
}
trap end EXIT
trap 'exit 1' HUP INT TERM
if [ "$(left)" -lt 86400 ]; then dray serve gc --pause 24h "$config"; fi
pass -m --exclude="$tree/blobs/" --include='*/' --include="$tree/repositories/**/_manifests/tags/**" --exclude='*'
pass -m --exclude="$tree/blobs/" --include='*/' --include="$tree/repositories/**/_manifests/revisions/**" --exclude='*'
pass --exclude="$tree/blobs/" --exclude='_manifests/' --exclude='_uploads/' --include='/docker/***' --exclude='*'
pass --include=/docker/ --include=/docker/registry/ --include="$tree/" --include="$tree/blobs/***" --exclude='*'
mv "$new.partial" "$new"
echo "$new"
