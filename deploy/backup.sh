#!/bin/sh
# backup.sh CONFIG DATA COPIES: a copy of a registry that goes on serving and taking pushes, in a folder of its own below COPIES.
# What the last copy has already is linked to it and takes no space. Needs rsync. Removing old copies is yours.
#
# The order matters: a push writes data, then links, then the tag; so tags are copied first and data last, and all that a copied name
# needs is there when its turn comes. Meanwhile no garbage is collected; the pause ends by itself after a day.
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

dray serve gc --pause 24h "$config"
trap 'dray serve gc --resume "$config"' EXIT
pass -m --exclude="$tree/blobs/" --include='*/' --include="$tree/repositories/**/_manifests/tags/**" --exclude='*'
pass -m --exclude="$tree/blobs/" --include='*/' --include="$tree/repositories/**/_manifests/revisions/**" --exclude='*'
pass --exclude="$tree/blobs/" --exclude='_manifests/' --exclude='_uploads/' --include='/docker/***' --exclude='*'
pass --include=/docker/ --include=/docker/registry/ --include="$tree/" --include="$tree/blobs/***" --exclude='*'
mv "$new.partial" "$new"
echo "$new"
