#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The @SCRIPT@ of @PACKAGE@; postinst, prerm and postrm are one text (packaging/debian/names.sh).
#
# Pacemaker runs agents while this runs, so a name never stands empty: what takes its place is made
# beside it, under a dot that hides it from Pacemaker, and renamed over it. KILL may come between any
# two commands: every step looks for itself whether it is done, and the next run goes on from there.
#
# The kernel gives a shell the name of a script, not the open file. A shell that was started with a shell
# agent and opens the name a moment later must find something that a shell can read, not our binary:
# first a bridge takes the name, a script that leads to our binary and is never opened by name itself;
# then, when the shells on their way have arrived, the link to the binary.
set -e
export LC_ALL=C

package=@PACKAGE@
script=@SCRIPT@

# The path, our file (as a link says it), and where the file of another package stands meanwhile.
names() {
    cat <<END
@NAMES@
END
}

say() {
    echo "$package: $*" >&2
}

exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

is_same() {
    # shellcheck disable=SC3013 # Debian's shells all have it, and POSIX since 2024.
    [ "$1" -ef "$2" ]
}

hidden() {
    echo "${1%/*}/.${1##*/}.$2"
}

is_ours() {
    case $(readlink "$1") in
        */ocf-agents/*/* | *.7ocf-agents.gz) ;;
        # The bridge.
        '') grep -qs '^exec /usr/lib/ocf-agents/[^ ]* "$@"$' "$1" ;;
        *) false ;;
    esac
}

# Asked of every name before the first is touched: nothing is half done.
check() {
    other=$(dpkg-divert --listpackage "$1")
    case $other in
        '' | "$package") ;;
        LOCAL) refuse "$1 is diverted: undo that with dpkg-divert --local --rename --remove $1" ;;
        *) refuse "$1 is diverted by the package $other: remove that package" ;;
    esac
    for path in "$1" "$3"; do
        if [ -d "$path" ] && ! [ -L "$path" ]; then refuse "$path is a directory: move it away"; fi
    done
}

refuse() {
    say "$1, then run dpkg --configure $package"
    exit 1
}

# What stands at our place is neither our link nor the file that another package has there.
keep() {
    if exists "$1" && ! cmp -s "$1" "$2"; then
        kept=$(hidden "$1" kept)
        ln -fPT "$1" "$kept"
        say "$1 was not this package's: kept as $kept"
    fi
}

take() {
    dpkg-divert --quiet --package "$package" --no-rename --divert "$3" --add "$1"
    if [ "$(readlink "$1")" = "$2" ] || ! exists "$1"; then return; fi
    if ! is_ours "$1" && ! is_same "$1" "$3"; then
        if exists "$3"; then keep "$1" "$3"; else ln -PT "$1" "$3"; fi
    fi
    case $1 in
        */resource.d/*) bridge "$1" "/usr/lib/${2#../../../}" ;;
    esac
}

bridge() {
    new=$(hidden "$1" new)
    # Not written through: it may be a link to the binary, left by a killed run.
    rm -f "$new"
    cat >"$new" <<END
#!/usr/bin/env -S /bin/sh -c 'exec $2 "\$@"'
exec $2 "\$@"
END
    chmod 755 "$new"
    mv -fT "$new" "$1"
}

# Waits, ten seconds at most, for every shell that was started with one of the names and hasn't opened it.
settle() {
    paths=$(present | sed -n 's/ .*//; /resource.d/p')
    tries=100
    # Of a start that is in the middle of it, the command line can't be seen yet.
    sleep 0.1
    grep -lszxF "$paths" /proc/[0-9]*/cmdline | while read -r process; do
        until has_arrived "${process%/cmdline}" "$paths" || [ $tries -eq 0 ]; do
            sleep 0.1
            tries=$((tries - 1))
        done
    done
}

has_arrived() {
    ! grep -qszxF "$2" "$1/cmdline" || find "$1/fd" -lname '*/resource.d/*' 2>/dev/null | grep -q .
}

link() {
    if [ "$(readlink "$1")" = "$2" ]; then return; fi
    new=$(hidden "$1" new)
    ln -sfT "$2" "$new"
    mv -fT "$new" "$1"
}

give() {
    aside=$(dpkg-divert --truename "$1")
    if is_ours "$1"; then
        if exists "$aside"; then mv -fT "$aside" "$1"; else rm -f "$1"; fi
    elif exists "$aside"; then
        # One file with two names: killed between the second name and our link.
        if is_same "$1" "$aside"; then
            rm -f "$aside"
        else
            keep "$1" "$aside"
            mv -fT "$aside" "$1"
        fi
    fi
    rm -f "$(hidden "$1" new)"
    dpkg-divert --quiet --package "$package" --no-rename --remove "$1"
}

taken() {
    dpkg-divert --list | sed -n "s/^diversion of \(.*\) to .* by $package\$/\1/p"
}

# A name without a file of ours, of an older version or kept from disk by dpkg's path-exclude, is none.
present() {
    names | while read -r path ours aside; do
        if [ -e "${path%/*}/$ours" ]; then echo "$path $ours $aside"; fi
    done
}

take_all() {
    present | while read -r path ours aside; do check "$path" "$ours" "$aside"; done
    taken | while read -r path; do
        if ! present | grep -qF "$path "; then give "$path"; fi
    done
    present | while read -r path ours aside; do take "$path" "$ours" "$aside"; done
    if is_bridged; then settle; fi
    present | while read -r path ours aside; do link "$path" "$ours"; done
}

is_bridged() {
    present | while read -r path ours aside; do
        if is_ours "$path" && ! [ -L "$path" ]; then echo "$path"; fi
    done | grep -q .
}

give_all() {
    taken | while read -r path; do give "$path"; done
}

case $script:$1 in
    postinst:*) take_all ;;
    # postrm again: prerm isn't called for a package that was unpacked and never configured.
    prerm:remove | postrm:remove | postrm:purge | postrm:disappear) give_all ;;
esac
