#!/bin/sh
# unpack_debs.sh FOLDER PACKAGE...: Debian packages, and what they need that is not installed, unpacked into a folder.
# Nothing is installed and no service started; what is installed already stays where it is.
set -e
folder=$1
shift
rm -rf "$folder" "$folder.part"
mkdir -p "$folder.part/debs"
apt-get update -qq || true
cd "$folder.part/debs"
needed=$(apt-get install --simulate --no-install-recommends "$@" | awk '/^Inst/ { print $2 }')
[ -z "$needed" ] || apt-get download -qq -o APT::Sandbox::User=root $needed
for deb in *.deb; do
    [ ! -e "$deb" ] || dpkg -x "$deb" ..
done
cd ../..
rm -rf "$(basename "$folder").part/debs"
mv "$(basename "$folder").part" "$(basename "$folder")"
