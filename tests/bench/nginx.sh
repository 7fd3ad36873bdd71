#!/bin/sh
# Prints the path of an nginx: the one that is installed, or one that is only unpacked into the folder given, since
# installing the package would start a server.
set -eu
installed=$(PATH="$PATH:/usr/sbin" command -v nginx) && echo "$installed" && exit 0
folder=$1
if [ ! -x "$folder/nginx/usr/sbin/nginx" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get download nginx) >&2 || {
        echo "nginx cannot be fetched; apt-get update may help" >&2
        exit 1
    }
    dpkg -x "$folder"/nginx_*.deb "$folder/nginx"
fi
echo "$folder/nginx/usr/sbin/nginx"
